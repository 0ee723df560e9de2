import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { utils } from "lnurl-pay";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../eventually.ts";
import { type LndServer, startLndServer } from "./lnd-server.ts";

let server: LndServer;
let passedSeconds = 0;
beforeEach(async () => {
  passedSeconds = 0;
  server = await startLndServer({ now: () => 1_700_000_000 + passedSeconds });
});
afterEach(() => server.close());

function open(method: string, path: string, body?: unknown) {
  const headers = { "grpc-metadata-macaroon": server.macaroonHex };
  const sent = request(server.url + path, { method, headers, ca: server.certificate, agent: false });
  return sent.end(body === undefined ? undefined : JSON.stringify(body));
}

async function ask(method: string, path: string, body?: unknown) {
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    open(method, path, body).on("response", resolve).on("error", reject),
  );
  return { status: response.statusCode, json: JSON.parse(await text(response)) as unknown };
}

const base64 = () => randomBytes(32).toString("base64");
const newOrder = () => ({
  r_preimage: base64(),
  value_msat: "1000",
  description_hash: base64(),
  expiry: "60",
  private: true,
});

describe("the LND of the tests", () => {
  it("answers in LND's form: bytes in base64, 64-bit numbers as strings", async () => {
    const order = newOrder();
    const made = await ask("POST", "/v1/invoices", order);
    const [invoice] = server.invoices();
    expect(made).toMatchObject({ status: 200, json: { add_index: "1", payment_request: invoice?.bolt11 } });
    server.pay(invoice?.paymentHash ?? "", 5000);
    expect(await ask("GET", `/v1/invoice/${invoice?.paymentHash}`)).toMatchObject({
      status: 200,
      json: {
        r_preimage: order.r_preimage,
        state: "SETTLED",
        value_msat: "1000",
        amt_paid_msat: "5000",
        settle_index: "1",
        settle_date: "1700000000",
      },
    });
    expect(utils.decodeInvoice(invoice?.bolt11 ?? "")?.millisatoshis).toBe("1000");
  });

  it("takes no expiry for one day, and refuses over a year", async () => {
    await ask("POST", "/v1/invoices", { ...newOrder(), expiry: "0" });
    expect(server.invoices()[0]?.expirySeconds).toBe(86_400);
    expect((await ask("POST", "/v1/invoices", { ...newOrder(), expiry: "31536001" })).status).toBe(500);
  });

  it.each([
    ["POST", "/v1/invoices", { ...newOrder(), amount: "1" }, 400, 3],
    ["POST", "/v1/invoices", { ...newOrder(), r_preimage: "not base64!" }, 400, 3],
    ["GET", `/v1/invoice/${"ab".repeat(32)}`, undefined, 404, 5],
    ["GET", "/v1/nothing", undefined, 404, 5],
    ["POST", "/v2/invoices/cancel", { payment_hash: base64() }, 500, 2],
  ])("refuses %s %s as LND does", async (method, path, body, status, code) => {
    expect(await ask(method, path, body)).toMatchObject({ status, json: { code, details: [] } });
  });

  it("lets an invoice expire into CANCELED, unpayable, and tells no stream", async () => {
    let events = "";
    const stream = open("GET", "/v1/invoices/subscribe").on("response", (response) =>
      response.setEncoding("utf8").on("data", (chunk) => {
        events += chunk;
      }),
    );
    stream.on("error", () => {});
    await eventually(() => server.streamCount() === 1);
    const paymentHash = server.addForeign("", 1000);
    passedSeconds = 3600;
    expect(server.invoices()).toMatchObject([{ state: "CANCELED" }]);
    expect(() => server.pay(paymentHash)).toThrow();
    server.pay(server.addForeign("", 1000));
    await eventually(() => events.includes("SETTLED"));
    stream.destroy();
    expect(events).not.toContain("CANCELED");
  });

  it("sends a subscriber nothing, not even a head, before the first event", async () => {
    let head = 0;
    const stream = open("GET", "/v1/invoices/subscribe?settle_index=0").on("response", () => {
      head += 1;
    });
    stream.on("error", () => {});
    await eventually(() => server.streamCount() === 1);
    // Another whole exchange: time enough for a head that was sent.
    await ask("GET", "/v1/state");
    expect(head).toBe(0);
    server.addForeign("", 1000);
    await eventually(() => head === 1);
    stream.destroy();
  });

  it("tells a subscriber nothing that his settle index says he knows, now or later", async () => {
    let events = "";
    const stream = open("GET", "/v1/invoices/subscribe?settle_index=1").on("response", (response) =>
      response.setEncoding("utf8").on("data", (chunk) => {
        events += chunk;
      }),
    );
    stream.on("error", () => {});
    await eventually(() => server.streamCount() === 1);
    server.pay(server.addForeign("first", 1000));
    server.pay(server.addForeign("second", 1000));
    await eventually(() => events.includes('"settle_index":"2"'));
    stream.destroy();
    expect(events).not.toContain('"settle_index":"1"');
  });
});
