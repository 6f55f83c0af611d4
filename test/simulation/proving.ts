// Owns how households of a simulated region prove: against the leaves they were told, by the prover that knows the key's
// secrets. It refuses what the circuit would, and remembers of every statement which meter it was about.

import { type ClaimPolicy, claimsOf, type WindowInputs } from "../../circuits/meter-witness.ts";
import type { ProvedWindow } from "../../circuits/prover.ts";
import { ProofImpossible } from "../../clients/household/window-prover.ts";
import { pointOf } from "../../evidence/field-text.ts";
import { type MeterProof, type ShownWindow, shownWindowOf } from "../../evidence/meter-proof.ts";
import type { SubmitReadings } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import { proveByTrapdoor } from "../support/trapdoor-prover.ts";
import { kept } from "./kept.ts";
import { CONTEXT, type Meter, treeOf, windowOf } from "./meters.ts";

/** What a household wants proved. */
export interface Wish {
  readonly meter: Meter;
  /** Who is to be paid. */
  readonly account: Hex;
  readonly firstSlot: number;
  /** What its gateway signs. */
  readonly netWh: readonly number[];
  readonly policy?: ClaimPolicy;
  /** The registry by position, as the household was told it. */
  readonly leaves: readonly Hex[];
  readonly context?: WindowInputs["context"];
}

/** Proofs are functions of what is proved, and seeds begin alike. */
const proofs = new Map<string, ShownWindow>();

/** The provers of one world, and what they proved. */
export class Proving {
  proofs = 0;
  /** Which meter a statement is about. */
  readonly #meters = new Map<string, string>();

  /** Claims and proof of a window; null where the meter's leaf is not among the leaves. */
  prove(wish: Wish): ShownWindow | null {
    const { meter, account, firstSlot, netWh, policy = {}, leaves, context = CONTEXT } = wish;
    const position = leaves.indexOf(meter.leaf);
    if (position < 0) return null;
    const { tree, root } = treeOf(leaves);
    const { mostWh, stepWh } = policy;
    const name = `${[meter.leaf, account, firstSlot, root, mostWh, stepWh].join()} ${netWh.join()}`;
    const shown = kept(proofs, name, () => {
      const { r8, s } = windowOf(meter.gateway, firstSlot, netWh, context).signature;
      const proved = proveByTrapdoor({
        context,
        firstSlot,
        account,
        netWh,
        gateway: meter.gateway.key,
        signature: { r8: pointOf(r8), s: BigInt(s) },
        secret: meter.secret,
        limits: meter.limits,
        path: tree.path(position),
        claims: claimsOf(netWh, policy),
      });
      return shownWindowOf(proved);
    });
    this.#note({ account, firstSlot, netWh: [...shown.netWh] }, shown.evidence, meter.gateway.id);
    return shown;
  }

  /** Proves for an agent, that hands in everything itself. @throws ProofImpossible */
  proveInputs(inputs: WindowInputs, gateway: Hex): ProvedWindow {
    try {
      const proved = proveByTrapdoor(inputs);
      const { netWh, evidence } = shownWindowOf(proved);
      const { account, firstSlot } = inputs;
      this.#note({ account, firstSlot, netWh: [...netWh] }, evidence, gateway);
      return proved;
    } catch (error) {
      throw error instanceof RangeError ? new ProofImpossible(error.message) : error;
    }
  }

  /** The gateway whose window a command and its evidence are about; null for what nobody ever proved. */
  gatewayOf(command: SubmitReadings, evidence: unknown): string | null {
    return this.#meters.get(statementOf(command, evidence as MeterProof)) ?? null;
  }

  #note(
    command: Pick<SubmitReadings, "account" | "firstSlot" | "netWh">,
    evidence: MeterProof,
    gateway: Hex,
  ): void {
    this.proofs += 1;
    this.#meters.set(statementOf(command, evidence), gateway);
  }
}

/** What a proof of this region says, but not its points: those are malleable. */
function statementOf(
  { account, firstSlot, netWh }: Pick<SubmitReadings, "account" | "firstSlot" | "netWh">,
  { root, nullifier, heldBack }: MeterProof,
): string {
  return JSON.stringify([account, firstSlot, netWh, heldBack, root, nullifier]);
}
