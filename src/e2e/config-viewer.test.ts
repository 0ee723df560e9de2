import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import Fastify, { type FastifyInstance } from "fastify";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addConfigViewerRoute } from "../http/config-viewer.ts";
import { openBrowser, readQrCode } from "../testing/browser.ts";
import { detectBrowser } from "../testing/detect-browser.ts";
import { eventually } from "../testing/eventually.ts";
import { createOperator } from "../testing/operator.ts";
import { startRelay } from "../testing/relay.ts";
import { PRIVATE_KEY_TO_COME, sampleConf, viewerFragment, viewerServer } from "../testing/viewer-conf.ts";
import { requestFromWallet } from "../testing/wallet.ts";
import { generateWireguardKeys } from "../testing/wireguard-keys.ts";

const found = detectBrowser(Boolean(process.env.CI));
/** The whole file: what is not done by then fails. */
const FOR_AT_MOST_MS = 400_000;
const STEP_MS = 20_000;
const PHONE = { width: 390, height: 844 };
/** Leads to the same server, over http and by no name that browsers trust. */
const INSECURE_HOST = "vpn.test";

/** All that is ever asked for. */
const PATHS = /^\/(?:config-viewer|lnurlp\/config\/[0-9a-f]{64})$/;

const sealed = sampleConf("10.66.42.7");
const present = sampleConf("10.66.42.99");
const preimage = randomBytes(32).toString("hex");
const paymentHash = createHash("sha256").update(Buffer.from(preimage, "hex")).digest("hex");
const { privateKey } = generateWireguardKeys();
const withKey = (conf: string) => conf.replace(PRIVATE_KEY_TO_COME, privateKey);

interface Reply {
  status: number;
  body: unknown;
}

const UNEXPECTED: Reply = { status: 500, body: {} };
const granted: Reply = { status: 200, body: { status: "ok", config: present, expires_at: 1_900_000_000 } };
const refused = (status: number, reason: string): Reply => ({
  status,
  body: { status: "ERROR", reason, message: "SENTINEL" },
});

const name = `the viewer in a browser${found.available ? "" : ` (skipped: ${found.why})`}`;
describe.skipIf(!found.available)(name, { timeout: 90_000 }, () => {
  let app: FastifyInstance;
  let origin: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** Where requests may go. */
  let origins: string[];
  /** What /lnurlp/config answers to whoever proves the payment. */
  let payment: Reply | undefined;
  /** `METHOD url` of every request, as the browser made it and as the server saw it. */
  let made: string[];
  let seen: string[];
  /** Headers and bodies of all of them. */
  let told: string[];
  /** Errors of the page, and everything that its policy forbade. */
  let complaints: string[];

  beforeAll(async () => {
    if (!found.available) return;
    browser = await openBrowser({
      executablePath: found.chromium,
      localNames: [INSECURE_HOST],
      forAtMostMs: FOR_AT_MOST_MS,
    });
    app = Fastify();
    addConfigViewerRoute(app, {
      endpoint: viewerServer.endpoint,
      serverPublicKey: viewerServer.publicKey,
    });
    app.addHook("onRequest", async (request) => {
      seen.push(`${request.method} ${request.url}`);
      told.push(JSON.stringify(request.headers));
    });
    app.get<{ Params: { hash: string } }>("/lnurlp/config/:hash", async (request, reply) => {
      const proven = request.headers.authorization === `Preimage ${preimage}`;
      const { status, body } = (proven && request.params.hash === paymentHash && payment) || UNEXPECTED;
      return reply.code(status).send(body);
    });
    origin = await app.listen({ host: "127.0.0.1", port: 0 });
  }, FOR_AT_MOST_MS);

  afterAll(async () => {
    await browser?.close();
    await app?.close();
  });

  beforeEach(async () => {
    origins = [origin, origin.replace("127.0.0.1", INSECURE_HOST)];
    payment = undefined;
    made = [];
    seen = [];
    told = [];
    complaints = [];
    context = await browser.newContext({ viewport: PHONE, deviceScaleFactor: 2, acceptDownloads: true });
    context.setDefaultTimeout(STEP_MS);
    context.on("request", (request) => {
      made.push(`${request.method()} ${request.url().replace(/#.*/, "")}`);
      told.push(JSON.stringify(request.headers()), request.postData() ?? "");
    });
    context.on("console", (message) => complaints.push(message.text()));
    context.on("weberror", (error) => complaints.push(error.error().message));
    await context.addInitScript(
      "addEventListener('securitypolicyviolation', (event) => console.error('forbidden', event.violatedDirective))",
    );
    page = await context.newPage();
  });

  afterEach(async () => {
    await context.close();
    const isAllowed = (request: string) =>
      request.startsWith("GET blob:") ||
      origins.some((from) => PATHS.test(request.replace(`GET ${from}`, "")));
    expect(made.filter((request) => !isAllowed(request))).toEqual([]);
    expect(seen.filter((request) => !PATHS.test(request.replace("GET ", "")))).toEqual([]);
    const secrets = [privateKey, encodeURIComponent(privateKey), viewerFragment(sealed).slice(0, 100)];
    expect(secrets.filter((secret) => [...made, ...seen, ...told].join("\n").includes(secret))).toEqual([]);
    expect(complaints.filter((text) => !/^Failed to load resource: .* status of 4/.test(text))).toEqual([]);
  });

  const open = (fragment: string) => page.goto(`${origin}/config-viewer${fragment && `#${fragment}`}`);
  const conf = () => page.locator("#conf");
  const status = () => page.getByRole("status").first();
  const alert = () => page.getByRole("alert").first();
  const privateKeyField = () => page.getByLabel("WireGuard private key");
  const preimageField = () => page.getByLabel("Payment preimage");
  const askButton = () => page.getByRole("button", { name: "Get my configuration" });
  const copyButton = () => page.getByRole("button", { name: "Copy" });
  const downloadButton = () => page.getByRole("button", { name: "Download europa.conf" });
  const qrCode = () => page.getByRole("img", { name: /QR code/ });
  const says = (words: RegExp, where = status()) =>
    eventually(async () => words.test((await where.textContent()) ?? ""), STEP_MS);
  const shows = (text: string) => eventually(async () => (await conf().textContent()) === text, STEP_MS);

  async function downloaded(): Promise<{ file: string; text: string }> {
    const [download] = await Promise.all([page.waitForEvent("download"), downloadButton().click()]);
    return { file: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
  }

  async function readBack(): Promise<string> {
    return readQrCode(found.available ? found.zbarimg : "", await qrCode().screenshot());
  }

  it("shows the .conf of an older link; QR code and download wait for the private key", async () => {
    await open(viewerFragment(sealed));
    await shows(sealed);
    expect([await qrCode().isVisible(), await downloadButton().isVisible()]).toEqual([false, false]);
    await says(/before you paid/);
    expect(seen).toEqual(["GET /config-viewer"]);

    await privateKeyField().fill(` ${privateKey} `);
    await shows(withKey(sealed));
    expect(await readBack()).toBe(withKey(sealed));
    expect(await downloaded()).toEqual({ file: "europa.conf", text: withKey(sealed) });

    await privateKeyField().fill(privateKey.slice(1));
    await shows(sealed);
    expect([await qrCode().isVisible(), await downloadButton().isVisible()]).toEqual([false, false]);
    expect(await page.content()).not.toContain(privateKey);
  });

  it("copies what it shows", async () => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
    await open(viewerFragment(sealed));
    await privateKeyField().fill(privateKey);
    await copyButton().click();
    await says(/^Copied/, page.locator("#copied"));
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(withKey(sealed));
  });

  it("says what is wrong with a private key once it is typed, and takes it back", async () => {
    await open(viewerFragment(sealed));
    await privateKeyField().fill(viewerServer.publicKey.slice(0, 40));
    const error = page.locator("#private-key-error");
    expect(await error.textContent()).toBe("");
    await privateKeyField().blur();
    await says(/no WireGuard private key/, error);
    expect(await privateKeyField().getAttribute("aria-invalid")).toBe("true");
    await shows(sealed);
    await privateKeyField().fill(privateKey);
    await says(/^$/, error);
    expect(await privateKeyField().getAttribute("aria-invalid")).toBeNull();
  });

  const stained = sealed.replace("my-vpn", "SENTINEL");
  it.each([
    ["hooks", viewerFragment(`${stained}PostUp = SENTINEL\n`), /commands/],
    [
      "a foreign endpoint",
      viewerFragment(stained.replace(viewerServer.endpoint, "SENTINEL.example.com:51820")),
      /another server/,
    ],
    [
      "a foreign key",
      viewerFragment(stained.replace(viewerServer.publicKey, generateWireguardKeys().publicKey)),
      /another server/,
    ],
    ["a script", viewerFragment(`${stained}<script>console.error("SENTINEL")</script>\n`), /settings/],
    [
      "a script in a comment",
      viewerFragment(`# <img src=x onerror='console.error("SENTINEL")'>\n${stained}`),
      /characters/,
    ],
    ["no base64", `${encodeURIComponent(`${stained}<SENTINEL>`)}`, /damaged/],
    ["far too much", viewerFragment(`${stained}${"# SENTINEL\n".repeat(1_000)}`), /too long/],
  ])("shows nothing of a link with %s", async (_name, fragment, words) => {
    await open(fragment);
    await says(words, alert());
    expect([await conf().isVisible(), await privateKeyField().isVisible()]).toEqual([false, false]);
    expect(await page.content()).not.toContain("SENTINEL");
    expect(await preimageField().isVisible()).toBe(true);
    expect(seen).toEqual(["GET /config-viewer"]);
  });

  it("shows the present .conf in the place of the sealed one", async () => {
    payment = granted;
    await open(viewerFragment(sealed, preimage));
    await shows(present);
    await says(/as it is now/);
    expect(await preimageField().isVisible()).toBe(false);
    await privateKeyField().fill(privateKey);
    expect(await readBack()).toBe(withKey(present));
    expect(await downloaded()).toEqual({ file: "europa.conf", text: withKey(present) });
    expect(seen).toEqual(["GET /config-viewer", `GET /lnurlp/config/${paymentHash}`]);
  });

  it("shows the present .conf of a link whose own is for the server as it was", async () => {
    payment = granted;
    await open(viewerFragment(sealed.replace(viewerServer.endpoint, "former.example.com:51820"), preimage));
    await shows(present);
    await says(/^$/, alert());
  });

  it("asks again while the payment is on its way, the sealed .conf and a private key in view", async () => {
    payment = refused(402, "payment-required");
    await open(viewerFragment(sealed, preimage));
    await says(/not seen the payment yet.*again.*before you paid/);
    await shows(sealed);
    await privateKeyField().fill(privateKey);
    await shows(withKey(sealed));
    payment = granted;
    await shows(withKey(present));
    expect(await readBack()).toBe(withKey(present));
    expect(await page.content()).not.toContain("SENTINEL");
  });

  it.each([
    ["the server says no", refused(404, "not-found"), /knows no payment/],
    ["the preimage is wrong", refused(401, "bad-request"), /does not belong/],
    [
      "the answer is for another server",
      { status: 200, body: { config: present.replace(viewerServer.endpoint, "SENTINEL.example.com:1") } },
      /no configuration of its own/,
    ],
  ])("shows the sealed .conf when %s, and asks again when told to", async (_name, reply, words) => {
    payment = reply;
    await open(viewerFragment(sealed, preimage));
    await says(words);
    await says(/before you paid/);
    await shows(sealed);
    expect(await page.content()).not.toContain("SENTINEL");
    payment = granted;
    await askButton().click();
    await shows(present);
  });

  it("takes a preimage by hand where the link brings nothing", async () => {
    await open("");
    await says(/preimage of your payment/);
    expect(await conf().isVisible()).toBe(false);
    await preimageField().fill(preimage.slice(1));
    await askButton().click();
    await says(/no preimage/, page.locator("#preimage-error"));
    expect(await preimageField().getAttribute("aria-invalid")).toBe("true");
    expect(seen).toEqual(["GET /config-viewer"]);

    payment = granted;
    await preimageField().fill(` ${preimage.toUpperCase()} `);
    await preimageField().press("Enter");
    await shows(present);
    expect(await page.evaluate("document.activeElement.id")).toBe("private-key");
    expect(page.url()).toBe(`${origin}/config-viewer`);
  });

  it("keeps the fragment in the address, and forgets all for another one", async () => {
    payment = granted;
    await open(viewerFragment(sealed, preimage));
    await shows(present);
    await privateKeyField().fill(privateKey);
    expect(page.url()).toBe(`${origin}/config-viewer#${viewerFragment(sealed, preimage)}`);
    await open(viewerFragment(`${stained}PostUp = id\n`));
    await says(/commands/, alert());
    expect(await conf().isVisible()).toBe(false);
    expect(await page.content()).not.toContain("10.66.42.99");
    expect(await privateKeyField().inputValue()).toBe("");
  });

  it("without https asks nothing, says so, and shows the sealed .conf", async () => {
    await page.goto(
      `${origin.replace("127.0.0.1", INSECURE_HOST)}/config-viewer#${viewerFragment(sealed, preimage)}`,
    );
    await says(/not opened over https.*before you paid/);
    await shows(sealed);
    expect(await preimageField().isVisible()).toBe(false);
    expect(seen).toEqual(["GET /config-viewer"]);
    await copyButton().click();
    await says(/selected/, page.locator("#copied"));
    expect(await page.evaluate("getSelection().toString().trim()")).toBe(sealed.trim());
  });

  it.each(["light", "dark"] as const)("fits a phone in every state, %s", async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    const overhang = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    for (const width of [320, PHONE.width]) {
      await page.setViewportSize({ ...PHONE, width });
      for (const fragment of ["", viewerFragment(`${sealed}PostUp = id\n`), viewerFragment(sealed)]) {
        await open(fragment);
        await askButton().click();
        expect(await page.evaluate(overhang)).toBe(0);
      }
      await shows(sealed);
      await privateKeyField().fill(privateKey);
      await qrCode().waitFor();
      expect(await page.evaluate(overhang)).toBe(0);
      expect(await readBack()).toBe(withKey(sealed));
    }
  });

  it("opens the link that a wallet shows, served by the daemon, on the tunnel that was bought", async () => {
    const relay = await startRelay();
    const lightning = { backend: "stub", stubSells: true } as const;
    const operator = await createOperator({ relays: [relay.url], mints: [], cashuEnabled: false, lightning });
    try {
      await operator.start();
      const buyer = generateWireguardKeys();
      const invoice = await requestFromWallet(`${operator.url}/lnurlp?p=day`, 100, buyer.publicKey);
      const link = new URL(invoice.decipher(await invoice.waitUntilSettled()) ?? "");
      expect(link.host).toBe(operator.publicHost);
      origins.push(operator.url);
      await page.goto(operator.url + link.pathname + link.hash);
      await says(/as it is now/);
      await privateKeyField().fill(buyer.privateKey);
      const filledIn = await conf().textContent();
      expect(filledIn).toMatch(/^# Expires: /m);
      expect(filledIn).toContain(`\nPrivateKey = ${buyer.privateKey}\n`);
      expect(await readBack()).toBe(filledIn);
    } finally {
      await operator.destroy();
      await relay.stop();
    }
  });

  it("is held to its policy: no other script, no markup from text, no other origin", async () => {
    await open(viewerFragment(sealed));
    await shows(sealed);
    const elsewhere = `${origin.replace("127.0.0.1", INSECURE_HOST)}/nowhere`;
    await expect(page.evaluate("document.body.innerHTML = '<p>'")).rejects.toThrow(/TrustedHTML/);
    await expect(page.evaluate(`fetch(${JSON.stringify(elsewhere)})`)).rejects.toThrow();
    await page.evaluate("document.body.setAttribute('onclick', 'document.title = 1')").catch(() => {});
    await page.locator("h1").click();
    expect(await page.title()).toBe("Your WireGuard configuration");
    expect(seen).toEqual(["GET /config-viewer"]);
    await eventually(() => complaints.some((text) => text.startsWith("forbidden connect-src")), STEP_MS);
    complaints.length = 0;
    made = made.filter((request) => !request.endsWith(elsewhere));
  });
});
