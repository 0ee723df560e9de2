import { createHash, randomUUID } from "node:crypto";
import { Refusal } from "../protocol/refusal.ts";
import type {
  DecodedToken,
  InputState,
  JournaledOutput,
  Mint,
  MintLink,
  OwnedProof,
  SwapJournal,
  SwapOutcome,
  TokenReader,
} from "../sales/ports.ts";

/** What the mint does with the next swap instead of what it should. */
export type SwapFault =
  /** It swaps, and the answer is lost. */
  | "acts-then-silence"
  /** The request is lost. */
  | "silence"
  /** Silence now; it swaps when `landLate` is called. */
  | "lands-late"
  /** It swaps, leaves one output unsigned, and says so by a wrong count. */
  | "flawed"
  /** It swaps all right and leaves one signature out of its answer. */
  | "flawed-answer"
  /** No answer until `unstall`; then it swaps. */
  | "stall"
  /** It is still at it: NUT error of the kind "pending". */
  | "pending"
  /** The process asking dies here, before the mint heard of it or after it swapped; the answer never comes. */
  | "caller-dies-before"
  | "caller-dies-after"
  /** A definite refusal with this NUT code; nothing is taken. */
  | { refused: number };
export type RestoreFault = "silence" | "empty" | "part";
export type InputFault = "silence" | "PENDING" | "SPENT" | "UNSPENT";
export type PrepareFault = "stall" | "invalid-token" | "mint-unreachable";

interface Faults {
  swap: SwapFault[];
  restore: RestoreFault[];
  inputState: InputFault[];
  prepareSwap: PrepareFault[];
}

interface FakeToken {
  mint: string;
  unit: string;
  locked: boolean;
  proofs: { amountSat: number; secret: string }[];
}

interface Body {
  inputs: { amountSat: number; y: string }[];
  outputs: { B_: string; amountSat: number; keysetId: string }[];
}

export type FakeMint = ReturnType<typeof createFakeMint>;

/**
 * The ports of ecash with a mint behind them: it keeps spent inputs and signed outputs, and answers from them. What
 * no well-behaved caller would ask is thrown, and kept in `violations` for those whose caller swallows errors.
 */
export function createFakeMint(url = "https://mint.test") {
  const inputs = new Map<string, { state: "UNSPENT" | "PENDING" | "SPENT"; amountSat: number }>();
  const signed = new Map<string, { amountSat: number; by: string }>();
  const faults: Faults = { swap: [], restore: [], inputState: [], prepareSwap: [] };
  const violations: string[] = [];
  const calls = { prepareSwap: 0, renewSwap: 0, swap: 0, restore: 0, inputState: 0 };
  const asked = new Set<string>();
  const late: (() => void)[] = [];
  const stalled: (() => void)[] = [];
  let keyset = 1;
  let feeSat = 0;
  let reachable = true;
  let shutOff: string | undefined;
  let silent = false;

  function violated(what: string): never {
    violations.push(what);
    throw new Error(`fake mint: ${what}`);
  }

  function input(y: string) {
    return inputs.get(y) ?? violated("asked about an input that was never issued");
  }

  /** One request per sale at a time: a second one over the same inputs while the first is under way is a fault. */
  async function alone<T>(ys: readonly string[], request: () => Promise<T>): Promise<T> {
    await Promise.resolve();
    const name = [...ys].sort().join();
    if (asked.has(name)) violated("two requests at once for the same inputs");
    asked.add(name);
    try {
      return await request();
    } finally {
      asked.delete(name);
    }
  }

  function prepared(ys: readonly string[]): SwapJournal {
    const faceSat = ys.reduce((sum, y) => sum + input(y).amountSat, 0);
    const outputs = split(faceSat - feeSat).map((amountSat) => freshOutput(amountSat, `keyset-${keyset}`));
    const body: Body = {
      inputs: ys.map((y) => ({ y, amountSat: input(y).amountSat })),
      outputs: outputs.map(({ B_, amountSat, keysetId }) => ({ B_, amountSat, keysetId })),
    };
    return { version: 1, mintUrl: url, body: JSON.stringify(body), outputs, inputYs: [...ys], feeSat };
  }

  /** What a mint checks before it signs; undefined when it would sign. */
  function refusal(body: Body): SwapOutcome | undefined {
    if (body.outputs.some(({ B_ }) => signed.has(B_))) return { kind: "refused", code: 11003 };
    if (body.inputs.some(({ y }) => input(y).state === "SPENT")) return { kind: "refused", code: 11001 };
    if (body.inputs.some(({ y }) => input(y).state === "PENDING")) {
      return { kind: "ambiguous", why: "pending" };
    }
    if (body.outputs.some(({ keysetId }) => keysetId !== `keyset-${keyset}`)) {
      return { kind: "refused", code: 12002 };
    }
    const inSat = body.inputs.reduce((sum, { amountSat }) => sum + amountSat, 0);
    const outSat = body.outputs.reduce((sum, { amountSat }) => sum + amountSat, 0);
    return inSat - feeSat === outSat ? undefined : { kind: "refused", code: 11005 };
  }

  function carryOut(body: Body, leaveOut = 0): SwapOutcome | undefined {
    const refused = refusal(body);
    if (refused) return refused;
    for (const { y } of body.inputs) input(y).state = "SPENT";
    const by = body.inputs.map(({ y }) => y).join();
    for (const { B_, amountSat } of body.outputs.slice(leaveOut)) signed.set(B_, { amountSat, by });
    return undefined;
  }

  async function swap(journal: SwapJournal): Promise<SwapOutcome> {
    calls.swap++;
    if (journal.mintUrl !== url) violated("a swap for another mint");
    const body = JSON.parse(journal.body) as Body;
    if (body.inputs.map(({ y }) => y).join() !== journal.inputYs.join()) violated("a body of other inputs");
    const proofs = journal.outputs.map((output) => owned(output, url));
    const done = (refused: SwapOutcome | undefined): SwapOutcome => refused ?? { kind: "signed", proofs };
    const fault: SwapFault | undefined = silent ? "silence" : faults.swap.shift();
    if (typeof fault === "object") return { kind: "refused", code: fault.refused };
    switch (fault) {
      case undefined:
        return done(carryOut(body));
      case "silence":
        return { kind: "ambiguous", why: "no answer" };
      case "pending":
        return { kind: "ambiguous", why: "pending" };
      case "acts-then-silence":
        carryOut(body);
        return { kind: "ambiguous", why: "no answer" };
      case "lands-late":
        late.push(() => void carryOut(body));
        return { kind: "ambiguous", why: "no answer" };
      case "flawed":
        return carryOut(body, 1) ?? { kind: "flawed", proofs: proofs.slice(1), detail: "one is missing" };
      case "flawed-answer":
        return carryOut(body) ?? { kind: "flawed", proofs: proofs.slice(1), detail: "one is missing" };
      case "stall":
        await new Promise<void>((resolve) => stalled.push(resolve));
        return done(carryOut(body));
      case "caller-dies-before":
        return never();
      case "caller-dies-after":
        carryOut(body);
        return never();
    }
  }

  const link: MintLink = {
    swap: (journal) => alone(journal.inputYs, () => swap(journal)),
    restore: (journals) =>
      alone(journals[0]?.inputYs ?? [], async () => {
        calls.restore++;
        const fault = silent ? "silence" : faults.restore.shift();
        if (fault === "silence") return { kind: "unknown", why: "no answer" };
        if (fault === "empty") return { kind: "empty" };
        const outputs = journals.flatMap((journal) => journal.outputs.filter(({ B_ }) => signed.has(B_)));
        const proofs = outputs.map((output) => owned(output, url)).slice(fault === "part" ? 1 : 0);
        if (proofs.length === 0 && fault === undefined) return { kind: "empty" };
        const whole = journals.some(
          (journal) =>
            journal.outputs.length === proofs.length &&
            journal.outputs.every(({ secret }) => proofs.some((proof) => proof.secret === secret)),
        );
        return whole ? { kind: "signed", proofs } : { kind: "flawed", proofs, detail: "a part is signed" };
      }),
    inputState: (mintUrl, ys) =>
      alone(ys, async (): Promise<InputState> => {
        calls.inputState++;
        if (mintUrl !== url) violated("a state check for another mint");
        const fault = silent ? "silence" : faults.inputState.shift();
        if (fault !== undefined) return fault === "silence" ? "unknown" : fault;
        const states = ys.map((y) => input(y).state);
        return states.find((state) => state === "SPENT") ?? states.find((s) => s === "PENDING") ?? "UNSPENT";
      }),
  };

  const mint: Mint = {
    key: url,
    url,
    reachable: () => reachable && shutOff === undefined,
    prepareSwap: async (token) => {
      calls.prepareSwap++;
      if (!mint.reachable()) violated("a swap was prepared at a mint that is not reachable");
      const fault = faults.prepareSwap.shift();
      if (fault === "stall") await new Promise<void>((resolve) => stalled.push(resolve));
      else if (fault !== undefined) throw new Refusal(fault, "as the script says");
      await Promise.resolve();
      return prepared(token.ys);
    },
    prepareRefund: (token) => mint.prepareSwap(token),
    renewSwap: async (journal) => {
      calls.renewSwap++;
      return silent || shutOff !== undefined ? undefined : prepared(journal.inputYs);
    },
    shutOff: (reason) => {
      shutOff ??= reason;
    },
  };

  const reader: TokenReader = {
    decode: (text) => {
      const token = parse(text);
      return {
        mintKey: token.mint,
        unit: token.unit,
        faceSat: token.proofs.reduce((sum, { amountSat }) => sum + amountSat, 0),
        proofs: token.proofs.map((proof) => ({ ...proof, keysetId: "keyset-1", C: `C-${proof.secret}` })),
        ys: token.proofs.map(({ secret }) => yOf(secret)),
      };
    },
    checkLocks: ({ proofs }: DecodedToken) => {
      if (proofs.some(({ secret }) => secret.startsWith("open-"))) {
        throw new Refusal("wrong-p2pk", "the token is not locked");
      }
    },
    encode: (mintUrl, proofs) =>
      write({
        mint: mintUrl,
        unit: "sat",
        locked: false,
        proofs: proofs.map(({ amountSat, secret }) => ({ amountSat, secret })),
      }),
    paymentRequest: (amountSat) => `creqA-${amountSat}`,
  };

  return {
    mint,
    link,
    reader,
    calls,
    violations,
    /** A locked token of proofs of these amounts, as text. */
    issue(amountsSat: readonly number[], odd: Partial<Omit<FakeToken, "proofs">> = {}): string {
      const { locked = true, ...rest } = odd;
      const proofs = amountsSat.map((amountSat) => {
        const secret = `${locked ? "locked" : "open"}-${randomUUID()}`;
        inputs.set(yOf(secret), { state: "UNSPENT", amountSat });
        return { amountSat, secret };
      });
      return write({ mint: url, unit: "sat", locked, proofs, ...rest });
    },
    /** A token of some proofs of others. */
    mix: (parts: readonly { of: string; from: number; to: number }[]): string =>
      write({
        mint: url,
        unit: "sat",
        locked: true,
        proofs: parts.flatMap(({ of, from, to }) => parse(of).proofs.slice(from, to)),
      }),
    /** The next calls of this kind go wrong like this, in this order; those after them go well. */
    script: <K extends keyof Faults>(call: K, ...next: Faults[K]) => {
      (faults[call] as Faults[K][number][]).push(...next);
    },
    /** Silence on every call until it is taken back. */
    setSilent: (is: boolean) => {
      silent = is;
    },
    setReachable: (is: boolean) => {
      reachable = is;
    },
    setFeeSat: (sat: number) => {
      feeSat = sat;
    },
    /** Outputs of the former keyset are refused from now on. */
    rotateKeyset: () => void keyset++,
    landLate: () => {
      for (const land of late.splice(0)) land();
    },
    unstall: () => {
      for (const go of stalled.splice(0)) go();
    },
    /** The caller is dead: what it had under way counts no more, nor what it thought of the mint. */
    forgetCaller: () => {
      asked.clear();
      shutOff = undefined;
    },
    /** No fault any more; what was still on its way arrives. */
    heal(): void {
      silent = false;
      reachable = true;
      for (const call of Object.values(faults)) call.splice(0);
      for (const land of late.splice(0)) land();
      for (const [, found] of inputs) if (found.state === "PENDING") found.state = "UNSPENT";
    },
    /** Somebody else spends it. */
    spend: (token: string) => {
      for (const { secret } of parse(token).proofs) input(yOf(secret)).state = "SPENT";
    },
    setPending: (token: string) => {
      for (const { secret } of parse(token).proofs) input(yOf(secret)).state = "PENDING";
    },
    statesOf: (token: string) => parse(token).proofs.map(({ secret }) => input(yOf(secret)).state),
    /** What it has signed in all, in sat. */
    signedSat: () => [...signed.values()].reduce((sum, { amountSat }) => sum + amountSat, 0),
    shutOffReason: () => shutOff,
  };
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

function parse(text: string): FakeToken {
  if (!text.startsWith("fake:")) throw new Refusal("invalid-token", "not a token of the fake mint");
  return JSON.parse(text.slice(5)) as FakeToken;
}

function write(token: FakeToken): string {
  return `fake:${JSON.stringify(token)}`;
}

function yOf(secret: string): string {
  return `02${createHash("sha256").update(secret).digest("hex")}`;
}

function split(amountSat: number): number[] {
  const powers: number[] = [];
  for (let rest = amountSat, power = 1; rest > 0; power *= 2, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) powers.push(power);
  }
  return powers;
}

function freshOutput(amountSat: number, keysetId: string): JournaledOutput {
  const secret = `ours-${randomUUID()}`;
  return { amountSat, keysetId, mintPubkey: "02", secret, blindingFactor: "01", B_: `B-${secret}` };
}

function owned({ amountSat, keysetId, secret }: JournaledOutput, mintUrl: string): OwnedProof {
  return { y: yOf(secret), mintUrl, keysetId, amountSat, secret, C: `C-${secret}` };
}
