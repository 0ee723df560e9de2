import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Fault, findingsOf, proveFault } from "../testing/doctor-faults.ts";
import { type DoctorHost, openDoctorHost, PUBLIC_ADDRESS, PUBLIC_NAME } from "../testing/doctor-host.ts";
import { eventually } from "../testing/eventually.ts";
import { makeExpiredCertificate } from "../testing/expired-certificate.ts";
import { operatorHostMissing } from "../testing/operator-host.ts";
import { toolsMissing } from "../testing/tools.ts";

const inCi = Boolean(process.env.CI);
const missing = (await operatorHostMissing(inCi)) ?? toolsMissing(["caddy", "openssl"], inCi);
/** A line of the Caddyfile; what a fault adds to the site comes after it. */
const SITE = "\theader Strict-Transport-Security max-age=31536000\n";
/** Begins the block of global options for servers. */
const SERVERS = "\tservers {\n";

describe.skipIf(missing !== undefined)(
  `doctor: name and daemon${missing ? ` (skipped: ${missing})` : ""}`,
  () => {
    let at: DoctorHost;

    beforeAll(async () => {
      at = await openDoctorHost("drnam");
      await at.operator.start();
      await at.operator.waitForEvent("listing-published");
    });
    afterAll(() => at?.destroy());

    const withSite = (line: string) => at.proxy({ changes: [[SITE, `${SITE}\t${line}\n`]] });
    const wellProxy = () => at.proxy({});
    const name = (addresses: string[]) => at.names.records.set(PUBLIC_NAME, addresses);
    const hosts = (text: string) => writeFile(join(at.host.ownEtc, "hosts"), `127.0.0.1 localhost\n${text}`);
    const trust = (authorityFile: string | undefined) =>
      at.operator.writeConfig({
        environment: authorityFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: authorityFile },
      });

    const faults: Fault[] = [
      {
        title: "DNS does not know the public name",
        check: "dns",
        status: "fail",
        seen: /DNS knows no address of vpn\.example\.com/,
        put: () => at.names.records.delete(PUBLIC_NAME),
        mendSays: /make an A record of vpn\.example\.com: 203\.0\.113\.5$/,
        mend: (said) => name([said.split(": ").at(-1) ?? ""]),
      },
      {
        title: "DNS leads the public name elsewhere",
        check: "dns",
        status: "fail",
        seen: /leads to 203\.0\.113\.99, and this host is 203\.0\.113\.5/,
        put: () => name(["203.0.113.99"]),
        mendSays: /: 203\.0\.113\.5$/,
        mend: (said) => name([said.split(": ").at(-1) ?? ""]),
      },
      {
        title: "a second address of the public name leads elsewhere",
        check: "dns",
        status: "warn",
        seen: /leads to 203\.0\.113\.99/,
        put: () => name([PUBLIC_ADDRESS, "203.0.113.99"]),
        mend: () => name([PUBLIC_ADDRESS]),
      },
      {
        title: "/etc/hosts has the public name for this host alone",
        check: "hairpin",
        status: "warn",
        seen: /takes vpn\.example\.com for 127\.0\.1\.1/,
        put: () => hosts(`127.0.1.1 ${PUBLIC_NAME}\n`),
        mendSays: /out of the line of 127\.0\.1\.1 in \/etc\/hosts/,
        mend: () => hosts(""),
      },
      {
        title: "the proxy does not run",
        check: "tls",
        status: "fail",
        seen: /nothing listens on 203\.0\.113\.5 port 443/,
        put: () => at.proxy(undefined),
        mendSays: /start the proxy, as root: /,
        mend: wellProxy,
      },
      {
        title: "the proxy has no certificate for the public name",
        check: "tls",
        status: "fail",
        seen: /does not speak TLS for vpn\.example\.com/,
        put: () => at.proxy({ publicHost: "other.example.com" }),
        mendSays: /that it has this name/,
        mend: wellProxy,
      },
      {
        title: "the certificate has expired",
        check: "tls",
        status: "fail",
        seen: /has expired, \d days ago/,
        async put() {
          const made = await makeExpiredCertificate(at.operator.folder, PUBLIC_NAME);
          trust(made.authorityFile);
          await withSite(`tls ${made.certificateFile} ${made.keyFile}`);
        },
        mendSays: /TCP 80 and 443 open/,
        async mend() {
          trust(at.authorityFile);
          await wellProxy();
        },
      },
      {
        title: "the certificate is signed by nobody that buyers trust",
        check: "tls",
        status: "fail",
        seen: /signed by nobody that buyers trust/,
        put: () => trust(undefined),
        mend: () => trust(at.authorityFile),
      },
      {
        title: "the proxy answers /info itself",
        check: "info",
        status: "fail",
        seen: /not this daemon \(HTTP 404\)/,
        put: () => withSite('respond /info "nothing here" 404'),
        mendSays: /let the proxy lead to 127\.0\.0\.1:\d+/,
        mend: wellProxy,
      },
      {
        title: "the proxy leads to another operator",
        check: "info",
        status: "fail",
        seen: /is of another operator \(0{12}\)/,
        put: () => withSite(`respond /info ${"`"}${JSON.stringify(strangersInfo)}${"`"} 200`),
        mend: wellProxy,
      },
      {
        title: "the proxy takes a CORS header away",
        check: "cors",
        status: "fail",
        seen: /no access-control-allow-origin of a preflight, no access-control-allow-origin of an error/,
        put: () => withSite("header -Access-Control-Allow-Origin"),
        mend: wellProxy,
      },
      {
        title: "the proxy adds a CORS header of its own",
        check: "cors",
        status: "fail",
        seen: /access-control-allow-origin twice of a preflight/,
        put: () => withSite("header +Access-Control-Allow-Origin *"),
        mend: wellProxy,
      },
      {
        title: "the proxy lets no long header through",
        check: "header-size",
        status: "fail",
        seen: /a token of 60 proofs in X-Cashu does not come through/,
        put: () => at.proxy({ changes: [[SERVERS, `${SERVERS}\t\tmax_header_size 8KB\n`]] }),
        mendSays: /64 KiB of headers/,
        mend: wellProxy,
      },
      {
        title: "the proxy lets only short tokens through",
        check: "header-size",
        status: "warn",
        seen: /a token of 180 proofs in X-Cashu does not come through/,
        put: () => at.proxy({ changes: [[SERVERS, `${SERVERS}\t\tmax_header_size 32KB\n`]] }),
        mend: wellProxy,
      },
      {
        title: "the daemon does not run",
        check: "daemon",
        status: "fail",
        seen: /no daemon answers at .*sessions\.db\.sock/,
        put: () => at.operator.stop(),
        mendSays:
          /^as root: (node \S+index\.cjs|systemctl start europa-node|docker compose start europa-node)$/,
        mend: () => at.operator.start(),
      },
      {
        title: "the daemon is stuck",
        check: "daemon",
        status: "fail",
        seen: /holds the database .*, and cannot be asked: .* does not answer within 5 s/,
        put: () => at.operator.signal("SIGSTOP"),
        mend: () => at.operator.signal("SIGCONT"),
      },
      {
        title: "the config was changed and the daemon not restarted",
        check: "info-listing",
        status: "fail",
        seen: /\/info differs from .*config\.toml in prices, rates:/,
        put: () => at.operator.replaceInConfig("amount = 10\n", "amount = 11\nrate_mbit = 50\n"),
        async mend() {
          const published = at.operator.events("listing-published").length;
          await at.operator.stop();
          await at.operator.start();
          await at.operator.waitForEvent("listing-published", 20_000, published);
        },
      },
    ];

    it.each(faults.map((fault) => [fault.title, fault] as const))("%s", (_title, fault) =>
      proveFault(fault, at),
    );

    it("looks at all the rest while the daemon does not run, and says so of what only it knows", async () => {
      await at.operator.stop();
      try {
        const found = await at.look();
        const status = (check: string) => findingsOf(check, found).map((one) => one.status);
        expect(status("version")).toEqual(["unseen"]);
        expect(status("health")).toEqual(["unseen"]);
        expect(findingsOf("database", found)[0]?.seen).toMatch(/no daemon has it, and it is sound/);
        expect(status("relay-write")).toEqual(["ok", "ok"]);
        expect(status("interface")).toEqual(["ok"]);
      } finally {
        await at.operator.start();
      }
    });

    it("says nothing of a name when no resolver answers", async () => {
      at.names.mute = true;
      try {
        await eventually(async () => findingsOf("dns", await at.look())[0]?.status === "unseen");
      } finally {
        at.names.mute = false;
      }
    });
  },
);

const strangersInfo = {
  pubkey: "0".repeat(64),
  endpoint: PUBLIC_NAME,
  mints: [],
  cashu_purchase_endpoints: [],
  lightning_endpoints: [],
  prices: [],
};
