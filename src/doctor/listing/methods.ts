import type { CashuMethod, PaymentMethod } from "../../protocol/payment-method.ts";
import { isSameHost } from "../../protocol/server-host.ts";
import type { Check } from "../check.ts";
import { startCommand } from "../daemon/start-command.ts";
import { type Finding, fail, ok, unseen } from "../finding.ts";
import type { Subject } from "../subject.ts";
import { noListing } from "./listing.ts";

const OFF = ok("Cashu is off in this configuration");

/** On the methods of the newest listing, where ecash is taken. */
function onMethods(look: (methods: PaymentMethod[], subject: Subject) => Finding): Check["look"] {
  return async (subject) => {
    const { newest } = await subject.listing();
    if (newest === undefined || !newest.parsed.ok) return noListing();
    return look(newest.parsed.listing.paymentMethods, subject);
  };
}

const cashuOf = (methods: PaymentMethod[]) =>
  methods.filter((method): method is CashuMethod => method.type === "cashu");

export const cashuMethod: Check = {
  name: "cashu-method",
  group: "listing",
  look: onMethods((methods, { config, configPath }) => {
    if (config.cashu === undefined) return OFF;
    const mints = cashuOf(methods).map(({ mint }) => mint);
    if (mints.length > 0) return ok(`it takes ecash of ${mints.join(", ")}`);
    return fail(
      "the listing offers no payment by ecash: buyers with a Cashu wallet pass by",
      `a mint that is down is left out, see mint; else add [[listing.payment_methods]] of type cashu to ${configPath}`,
    );
  }),
};

export const endpointUrl: Check = {
  name: "endpoint-url",
  group: "listing",
  look: onMethods((methods, { config, configPath }) => {
    const urls = methods.flatMap((method) =>
      "endpoint" in method && method.endpoint ? [method.endpoint] : [],
    );
    const { publicHost } = config.server;
    const wrong = urls.filter((url) => !leadsHere(url, publicHost));
    if (wrong.length > 0) {
      return fail(
        `buyers are sent to ${wrong.join(", ")}, which is not https://${publicHost}`,
        `leave endpoint out of [[listing.payment_methods]] in ${configPath}, then as root: ${startCommand("restart")}`,
      );
    }
    if (urls.length === 0) return unseen("no method of the listing has an endpoint");
    return ok(`buyers are sent to ${[...new Set(urls)].join(", ")}`);
  }),
};

function leadsHere(url: string, publicHost: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, host } = new URL(url);
  return protocol === "https:" && isSameHost(host, publicHost);
}

export const p2pk: Check = {
  name: "p2pk",
  group: "listing",
  look: onMethods((methods, { config, configPath }) => {
    if (config.cashu === undefined) return OFF;
    const ours = config.cashu.p2pk;
    const keys = cashuOf(methods).map((method) => method.p2pk);
    const mend = `leave p2pk out of [[listing.payment_methods]] in ${configPath}, then as root: ${startCommand("restart")}`;
    if (keys.some((key) => !/^0[23][0-9a-f]{64}$/.test(key)))
      return fail("a p2pk of the listing is no key of 66 hex characters", mend);
    // NUT-11 signatures are BIP-340: either parity is the same lock.
    if (keys.some((key) => key.slice(2) !== ours.slice(2))) {
      return fail("a p2pk of the listing is not this daemon's: ecash locked to it could not be taken", mend);
    }
    return keys.length === 0 ? unseen("no method of the listing has one") : ok("it is this daemon's key");
  }),
};
