// Owns one meter's windows: each is signed once when it is over, claimed by its household's policy, proved, and submitted
// until it is answered. It refuses to prove against a registry it could not check, and one that failed twice.

import { exactBytes } from "../../evidence/bytes.ts";
import { type FieldPoint, poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import type { EvidenceContext } from "../../evidence/evidence-kind.ts";
import { pointOf } from "../../evidence/field-text.ts";
import { gatewayIdOf, regionTag } from "../../evidence/gateway-window.ts";
import { type ShownWindow, shownWindowOf } from "../../evidence/meter-proof.ts";
import {
  type MeterLimits,
  meterLeaf,
  meterNullifier,
  secretCommitment,
} from "../../evidence/meter-statement.ts";
import type { Hex } from "../../protocol/fields.ts";
import { nodeHex, type TreePath } from "../../protocol/quad-tree.ts";
import { divDown, divUp, slotStartS } from "../../protocol/units.ts";
import type { Accepted, Deployment, Draft, Market, PolderClient } from "../sdk/client.ts";
import { PolderProblem } from "../sdk/problem.ts";
import type { Signer } from "../sdk/signer.ts";
import type { AgentMemory, SignedWindow } from "./agent-memory.ts";
import { type ClaimPolicy, claimsWithin } from "./claim-policy.ts";
import type { MeterSource } from "./meter-source.ts";
import { type RegionRegistry, RegistryFault } from "./region-registry.ts";
import { type Signing, signOnce } from "./software-gateway.ts";
import { ProofImpossible, type Prover } from "./window-prover.ts";

/** A meter of a household: what it measures, whose key signs, and what only its household knows. */
export interface HouseholdMeter {
  readonly source: MeterSource;
  /** Seed of the gateway's key (EdDSA over Baby Jubjub). */
  readonly gatewaySeed: Hex;
  /** Whoever knows it can tell which claims are this meter's. */
  readonly secret: bigint;
  /** As they were enrolled: they are part of the leaf. */
  readonly limits: MeterLimits;
}

export interface MeterWindowsOptions {
  /** How reports call the meter. */
  readonly name: string;
  readonly client: PolderClient;
  readonly region: string;
  readonly signer: Signer;
  readonly meter: HouseholdMeter;
  readonly claims: ClaimPolicy;
  readonly prover: Prover;
  readonly registry: RegionRegistry;
  readonly memory: AgentMemory;
  readonly counts: WindowCounts;
  readonly keep: (accepted: Accepted) => void;
  readonly report: (message: string) => void;
}

/** What has become of windows so far. */
export interface WindowCounts {
  /** Windows that were accepted. */
  windows: number;
  /** Windows whose claims could not be made, or not in time. */
  missed: number;
  /** Proofs made. */
  proofs: number;
  /** Windows that wait for their proof now. */
  pending: number;
}

/** How often a live meter is asked for its last boundary in the time for evidence: every 18 s of an hour. */
const QUESTIONS_PER_DELAY = 200;
/** A proof that was made anew against the region's root, and is about another one still, will be again. */
const MOST_PROOFS = 2;

/** A window cannot be claimed, and trying again will not change it. */
class Missed extends Error {}

/** One meter's windows in their order. */
export class MeterWindows {
  readonly #options: MeterWindowsOptions;
  readonly #key: FieldPoint;
  readonly #gateway: Hex;
  #next = 0;

  constructor(options: MeterWindowsOptions) {
    this.#options = options;
    this.#key = poseidonKeyOf(exactBytes(options.meter.gatewaySeed, 32, "gateway seed"));
    this.#gateway = gatewayIdOf(this.#key);
  }

  /** First slot of the first window that is not done. */
  get nextWindow(): number {
    return this.#next;
  }

  /**
   * Does the windows that are over at a market time.
   * @returns when to come again for one that is not done yet; null when all are.
   */
  async step(market: Market, atS: number): Promise<number | null> {
    const { windowSlots, windowFirstSlot, nextSlot } = market;
    const open = nextSlot > windowFirstSlot ? windowFirstSlot + windowSlots : windowFirstSlot;
    // Windows that closed while this agent was not asked.
    for (let gone = this.#next; gone > 0 && gone < open; gone += windowSlots)
      this.#miss(gone, windowSlots, "its time for evidence is over");
    let next = Math.max(this.#next, open);
    for (; slotStartS(next + windowSlots) <= atS; next += windowSlots) {
      this.#next = next;
      const askAgainS = await this.#settle(market, next, atS);
      if (askAgainS !== null) return askAgainS;
    }
    this.#next = next;
    return null;
  }

  /** @returns when to come again, or null when the window is done, one way or the other. */
  async #settle(market: Market, firstSlot: number, atS: number): Promise<number | null> {
    const { client, region, meter, memory } = this.#options;
    const { windowSlots, parameters } = market;
    const { proofDelaySeconds } = parameters;
    // What is not known when half of the time for evidence is over is left out: late is worse than less.
    const lastS = slotStartS(firstSlot + windowSlots) + divDown(proofDelaySeconds, 2);
    const askAgainS = Math.min(lastS, atS + divUp(proofDelaySeconds, QUESTIONS_PER_DELAY));
    const isKnown = (meter.source.knownUntilSlot?.() ?? Number.MAX_SAFE_INTEGER) >= firstSlot + windowSlots;
    const wasSigned = memory.ofGateway(this.#gateway).signedWindow(firstSlot) !== undefined;
    if (!isKnown && atS < lastS && !wasSigned) return askAgainS;
    const deployment = await client.deployment();
    const { chainId, settlement } = deployment;
    const context = { chainId, settlement, regionId: region, windowSlots };
    const signing = this.#sign(deployment, context, firstSlot);
    if (!signing.ok) {
      if (signing.mayHeal && atS < lastS) return askAgainS;
      this.#miss(firstSlot, windowSlots, `its gateway did not sign it: ${signing.reason}`);
      return null;
    }
    try {
      await this.#claim(context, signing.window);
    } catch (error) {
      // The region may say something else the next time; until then nothing is proved against it.
      if (error instanceof RegistryFault && atS < lastS) return askAgainS;
      if (!(error instanceof Missed || error instanceof RegistryFault)) throw error;
      this.#miss(firstSlot, windowSlots, error.message);
    }
    return null;
  }

  #sign({ clock }: Deployment, context: EvidenceContext, firstSlot: number): Signing {
    const { meter, memory } = this.#options;
    const wish = { ...context, firstSlot, clockRate: clock.rate };
    return signOnce(meter.gatewaySeed, meter.source, memory.ofGateway(this.#gateway), wish);
  }

  /** Claims a signed window: proved once, sent until it is answered, proved again where its root was taken back. */
  async #claim(context: EvidenceContext, window: SignedWindow): Promise<void> {
    for (let proofs = 1; ; proofs += 1) {
      const shown = await this.#shownOf(context, window, proofs > 1);
      if (shown === null) return;
      const refusal = await this.#submit(window.firstSlot, shown);
      if (refusal === null) return;
      const { code, message } = refusal;
      // It arrived before its answer was lost, or in an earlier run.
      if (code === "window_already_proved") return;
      // An emergency took a leaf out of the window's tree.
      if (code === "registry_root_wrong" && proofs < MOST_PROOFS) continue;
      if (code === "proof_attempts_exhausted")
        throw new Missed(`the region looks at no more proofs of this account for it: ${message}`);
      throw new Missed(message);
    }
  }

  /** @returns null when it was accepted, or the refusal that trying again cannot change. */
  async #submit(firstSlot: number, { netWh, evidence }: ShownWindow): Promise<PolderProblem | null> {
    const { client, region, signer, counts, keep } = this.#options;
    try {
      const draft: Draft = { type: "submit_readings", firstSlot, netWh: [...netWh] };
      keep(await client.submit(region, signer, draft, evidence));
      counts.windows += 1;
      return null;
    } catch (error) {
      // The clocks of home and region differ a little, or the region is busy: the window is still open.
      if (!isRefusal(error)) throw error;
      return error;
    }
  }

  /** Claims and proof of a window, from memory or made now; null where nothing is claimed. */
  async #shownOf(
    context: EvidenceContext,
    window: SignedWindow,
    isFresh: boolean,
  ): Promise<ShownWindow | null> {
    const { meter, memory, signer, registry, report, name } = this.#options;
    const { account } = signer;
    const tag = regionTag(context);
    const kept = memory.proof(nodeHex(meterNullifier(meter.secret, tag, window.firstSlot)));
    if (!isFresh && kept?.account === account) return kept;
    const { claims, isCut } = claimsWithin(window.netWh, this.#options.claims, meter.limits);
    if (claims.every(({ claimedWh }) => claimedWh === 0)) return null;
    const leaf = meterLeaf(this.#key, secretCommitment(meter.secret), tag, meter.limits);
    const path = await registry.pathOf(leaf, window.firstSlot, isFresh).catch(missedIfRefused);
    if (path === null) {
      // The enrolment acts from a later window on, or ended: no proof exists.
      report(`${name}: window ${window.firstSlot} is not claimed: ${this.#gateway} is not in its registry`);
      return null;
    }
    if (isCut) report(`${name}: window ${window.firstSlot} is claimed only up to its meter's limits`);
    const shown = await this.#prove(context, window, claims, path);
    memory.rememberProof({ account, firstSlot: window.firstSlot, ...shown });
    return shown;
  }

  async #prove(
    context: EvidenceContext,
    { firstSlot, netWh, signed }: SignedWindow,
    claims: Parameters<typeof shownWindowOf>[0]["claims"],
    path: TreePath,
  ): Promise<ShownWindow> {
    const { meter, signer, prover, counts } = this.#options;
    const { r8, s } = signed.signature;
    const signature = { r8: pointOf(r8), s: BigInt(s) };
    const { account } = signer;
    const { secret, limits } = meter;
    const own = { account, netWh, gateway: this.#key, signature, secret, limits };
    counts.pending += 1;
    try {
      const proved = await prover.prove({ context, firstSlot, ...own, path, claims });
      counts.proofs += 1;
      return shownWindowOf(proved);
    } catch (error) {
      if (error instanceof ProofImpossible) throw new Missed(`no proof of it exists: ${error.message}`);
      throw error;
    } finally {
      counts.pending -= 1;
    }
  }

  #miss(firstSlot: number, windowSlots: 4 | 96, reason: string): void {
    const { meter, counts, report, name } = this.#options;
    let isEmpty = true;
    for (let slot = firstSlot; slot < firstSlot + windowSlots; slot += 1)
      isEmpty &&= (meter.source.read(slot)?.netWh ?? 0) === 0;
    if (isEmpty) return;
    counts.missed += 1;
    report(`${name}: window ${firstSlot} was missed: ${reason}`);
  }
}

/** The registry of a window that is over is not told any more. */
function missedIfRefused(error: unknown): never {
  throw isRefusal(error) ? new Missed(error.message) : error;
}

/** A refusal that trying again cannot change; one signed too long ago is signed anew. */
export function isRefusal(error: unknown): error is PolderProblem {
  return error instanceof PolderProblem && !error.transient && error.code !== "command_expired";
}
