import { randomUUID } from "node:crypto";
import { arithmeticOfCashuTs, type MintArithmetic } from "./mint-arithmetic.ts";
import { MintError } from "./mint-error.ts";
import { createKeyset, inputFee, type KeysetTerms, type MintKeyset } from "./mint-keyset.ts";
import type { BlindedMessage, BlindSignature, InputProof, MintBody, SwapBody } from "./mint-messages.ts";
import { verifySpendingConditions } from "./mint-spending-conditions.ts";

export type ProofState = "UNSPENT" | "PENDING" | "SPENT";

export interface MintQuote {
  quote: string;
  request: string;
  amount: number;
  unit: string;
  state: "PAID" | "ISSUED";
  /** Unix seconds. */
  expiry: number;
}

export type MintLedger = ReturnType<typeof createMintLedger>;

/**
 * What a mint knows and decides, in memory. Every operation is synchronous: it happens wholly or throws a
 * {@link MintError} and changes nothing.
 */
export function createMintLedger(terms: KeysetTerms, arithmetic: MintArithmetic) {
  const keysets = new Map<string, MintKeyset>();
  const signaturesByB_ = new Map<string, BlindSignature>();
  /** Witness of the spend by Y. */
  const spent = new Map<string, string | null>();
  const pending = new Set<string>();
  const quotes = new Map<string, MintQuote>();
  let swapCount = 0;

  const addKeyset = (keysetTerms: KeysetTerms): MintKeyset => {
    const keyset = createKeyset(keysetTerms);
    keysets.set(keyset.id, keyset);
    return keyset;
  };

  const keysetOf = ({ id }: { id: string }): MintKeyset => {
    const keyset = keysets.get(id);
    if (!keyset) throw new MintError("keyset-unknown", "keyset is not known");
    return keyset;
  };

  const privateKeyFor = (coin: { id: string; amount: number }): Uint8Array => {
    const key = keysetOf(coin).privateKeys[String(coin.amount)];
    if (!key) throw new MintError("proof-invalid", "keyset has no key for this amount");
    return key;
  };

  const checkPoint = (text: string): void => {
    if (!arithmetic.isPoint(text)) throw new MintError("proof-invalid", "not a point of the curve");
  };

  const checkOutputs = (outputs: readonly BlindedMessage[]): string => {
    if (new Set(outputs.map(({ B_ }) => B_)).size < outputs.length) {
      throw new MintError("duplicate-outputs", "duplicate outputs provided");
    }
    for (const output of outputs) {
      if (!keysetOf(output).active) throw new MintError("keyset-inactive", "keyset is inactive");
      privateKeyFor(output);
      checkPoint(output.B_);
    }
    const unit = singleUnit(outputs.map((output) => keysetOf(output).unit));
    if (outputs.some(({ B_ }) => signaturesByB_.has(B_))) {
      throw new MintError("outputs-already-signed", "outputs already signed");
    }
    return unit;
  };

  const sign = (output: BlindedMessage): BlindSignature => {
    const { C_, dleq } = arithmetic.sign(output.B_, privateKeyFor(output));
    return { amount: output.amount, id: output.id, C_, dleq };
  };

  const remember = (signatures: readonly BlindSignature[], outputs: readonly BlindedMessage[]) => {
    for (const [index, signature] of signatures.entries()) {
      signaturesByB_.set(outputs[index]?.B_ ?? "", signature);
    }
  };

  const checkInputs = (inputs: readonly InputProof[]): { ys: string[]; unit: string; feeAmount: number } => {
    const ys = inputs.map(({ secret }) => arithmetic.yOf(secret));
    if (new Set(ys).size < ys.length) throw new MintError("duplicate-inputs", "duplicate inputs provided");
    const unit = singleUnit(inputs.map((input) => keysetOf(input).unit));
    if (ys.some((y) => spent.has(y))) throw new MintError("already-spent", "proofs already spent");
    if (ys.some((y) => pending.has(y))) throw new MintError("pending", "proofs are pending");
    for (const { secret, C, id, amount } of inputs) {
      checkPoint(C);
      if (!arithmetic.isSigned({ secret, C }, privateKeyFor({ id, amount }))) {
        throw new MintError("proof-invalid", "proof could not be verified");
      }
    }
    return { ys, unit, feeAmount: inputFee(inputs.map((input) => keysetOf(input).feePpk)) };
  };

  addKeyset(terms);

  return {
    addKeyset,
    keysets: (): MintKeyset[] => [...keysets.values()],
    pending,
    swapCount: () => swapCount,
    spentYs: () => [...spent.keys()],

    /** NUT-03. */
    swap({ inputs, outputs }: SwapBody): BlindSignature[] {
      const { ys, unit, feeAmount } = checkInputs(inputs);
      if (checkOutputs(outputs) !== unit) {
        throw new MintError("unit-mismatch", "inputs and outputs not of same unit");
      }
      if (sumOf(inputs) - feeAmount !== sumOf(outputs)) {
        throw new MintError(
          "unbalanced",
          `inputs ${sumOf(inputs)}, fee ${feeAmount}, outputs ${sumOf(outputs)}`,
        );
      }
      verifySpendingConditions(inputs, outputs, arithmetic);
      const signatures = outputs.map(sign);
      for (const [index, y] of ys.entries()) {
        const witness = inputs[index]?.witness;
        spent.set(
          y,
          witness === undefined ? null : typeof witness === "string" ? witness : JSON.stringify(witness),
        );
      }
      remember(signatures, outputs);
      swapCount += 1;
      return signatures;
    },

    /** NUT-04, paid as soon as it is asked for. */
    createQuote(amount: number, unit: string): MintQuote {
      if (![...keysets.values()].some((keyset) => keyset.active && keyset.unit === unit)) {
        throw new MintError("unit-unsupported", "unit is not supported");
      }
      const id = randomUUID();
      const expiry = Math.floor(Date.now() / 1000) + 3600;
      const quote: MintQuote = {
        quote: id,
        request: unpayableInvoice(amount),
        amount,
        unit,
        state: "PAID",
        expiry,
      };
      quotes.set(id, quote);
      return quote;
    },

    quote: (id: string): MintQuote | undefined => quotes.get(id),

    /** NUT-04. */
    mint(body: MintBody): BlindSignature[] {
      const quote = quotes.get(body.quote);
      if (!quote) throw new MintError("quote-unpaid", "quote is not known");
      if (quote.state === "ISSUED") throw new MintError("quote-issued", "quote has already been issued");
      if (checkOutputs(body.outputs) !== quote.unit) {
        throw new MintError("unit-mismatch", "outputs not of the quote's unit");
      }
      if (sumOf(body.outputs) !== quote.amount) {
        throw new MintError("unbalanced", `quote ${quote.amount}, outputs ${sumOf(body.outputs)}`);
      }
      const signatures = body.outputs.map(sign);
      remember(signatures, body.outputs);
      quote.state = "ISSUED";
      return signatures;
    },

    /** NUT-07. */
    stateOf(y: string): ProofState {
      if (spent.has(y)) return "SPENT";
      return pending.has(y) ? "PENDING" : "UNSPENT";
    },
    witnessOf: (y: string): string | null => spent.get(y) ?? null,

    /** NUT-09: what was ever signed for this output. */
    signatureFor: (B_: string): BlindSignature | undefined => signaturesByB_.get(B_),

    /** Puts another answer, or none, in the place of what was signed: a mint that has lost its mind. */
    overwriteSignature(B_: string, signature: BlindSignature | undefined) {
      if (signature) signaturesByB_.set(B_, signature);
      else signaturesByB_.delete(B_);
    },
  };
}

/** NUT-00, NUT-07: the point that a proof's secret hashes to, hex. */
export const yOf = arithmeticOfCashuTs.yOf;

function singleUnit(units: readonly string[]): string {
  const [unit = "", ...others] = new Set(units);
  if (others.length > 0) throw new MintError("multiple-units", "inputs or outputs of multiple units");
  return unit;
}

function sumOf(coins: readonly { amount: number }[]): number {
  return coins.reduce((sum, { amount }) => sum + amount, 0);
}

/** A bolt11 request of which only the amount means anything: wallets read it (1 sat is 10n bitcoin). */
function unpayableInvoice(amountSat: number): string {
  return `lnbcrt${amountSat * 10}n1${"q".repeat(110)}`;
}
