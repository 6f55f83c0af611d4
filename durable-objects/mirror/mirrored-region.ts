// Owns what a mirror needs of a region, and how what the chain says becomes a command that the region decides: signed by the
// mirror's wallet and verified as any other. It refuses to hand over what does not verify.

import type { EpochCertificate } from "../../evidence/certificate-tree.ts";
import { type Submission, verifySigned } from "../../evidence/signed-command.ts";
import { signWallet } from "../../evidence/wallet-key.ts";
import { type MarketClock, marketTimeS } from "../../protocol/clock.ts";
import { type CommandOf, commandSchema, type Parameters } from "../../protocol/commands.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_COMMAND_LIFE_S } from "../../protocol/limits.ts";
import { malformedRequest } from "../../protocol/malformed.ts";
import { commandDigest, type SigningDomain } from "../../protocol/typed-data.ts";
import type { Outcome } from "../outcome.ts";
import type { Mirrored } from "../region-reads.ts";
import type { FailedAudit } from "../result-records.ts";
import type { KeptReport } from "../settlement-records.ts";

/** A region as the mirror sees it. */
export interface MirroredRegion {
  mirrored(): Promise<Mirrored | null>;
  /** Versions of the parameters, ascending by the epoch they hold from. */
  parameters(): Promise<readonly { readonly parameters: Parameters }[]>;
  epochReport(epoch: number): Promise<KeptReport | null>;
  certificates(epoch: number): Promise<EpochCertificate[] | null>;
  /** Results that an audit showed to be wrong, of entries after one, ascending; a few at a time. */
  failedAudits(after: number): Promise<FailedAudit[]>;
  /** Decides in this order; JSON of an array of submissions, and of each outcome. */
  submitAll(submissions: string): Promise<string[]>;
}

type DraftOf<T> = T extends unknown ? Omit<T, "region" | "expiresAtS"> : never;

/** What the chain says, as a command without its envelope; its nonce is the event's number there. */
export type ChainDraft = DraftOf<
  | CommandOf<"credit_deposit">
  | CommandOf<"schedule_terms">
  | CommandOf<"schedule_parameters">
  | CommandOf<"record_stake">
  | CommandOf<"appoint_installers">
  | CommandOf<"enrol_meter">
  | CommandOf<"revoke_meter">
>;

/** Wall seconds in which a command must be decided; it is made anew in every poll. */
const COMMAND_LIFE_SECONDS = 120;

/** Lets what waits have its turn: signatures take milliseconds each, and a large region's trees seconds. */
export const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** Signs and verifies for one deployment. */
export class MirrorSigner {
  readonly #key: Hex;
  readonly #domain: SigningDomain;
  readonly #clock: MarketClock;

  constructor(key: Hex, domain: SigningDomain, clock: MarketClock) {
    this.#key = key;
    this.#domain = domain;
    this.#clock = clock;
  }

  /** Market time now. Unix seconds. */
  atS(): number {
    return marketTimeS(this.#clock, Date.now());
  }

  /** Market seconds in some wall milliseconds. */
  marketSeconds(wallMs: number): number {
    return (wallMs / 1000) * this.#clock.rate;
  }

  /** A command ready to be decided, or why no region could ever take it. */
  async submissionOf(
    region: string,
    draft: ChainDraft,
    evidence?: unknown,
  ): Promise<{ readonly submission: Submission } | { readonly rejection: Rejection }> {
    await pause();
    const life = Math.min(
      MAX_COMMAND_LIFE_S - 900,
      Math.ceil(this.marketSeconds(1000 * COMMAND_LIFE_SECONDS)),
    );
    const decoded = commandSchema.safeParse({
      ...draft,
      region,
      expiresAtS: this.atS() + Math.max(60, life),
    });
    if (!decoded.success) return { rejection: malformedRequest(decoded.error) };
    const command = decoded.data;
    const signed = {
      chainId: this.#domain.chainId,
      command,
      signature: signWallet(this.#key, commandDigest(this.#domain, command)),
      ...(evidence === undefined ? {} : { evidence: evidence as never }),
    };
    const verdict = await verifySigned(this.#domain, region, signed);
    return verdict.ok
      ? { submission: verdict.submission }
      : { rejection: rejected(verdict.code, verdict.facts) };
  }
}

/** Hands commands over in their order; each one's outcome. */
export async function decideAll(
  region: MirroredRegion,
  submissions: readonly Submission[],
): Promise<Outcome[]> {
  const outcomes = await region.submitAll(JSON.stringify(submissions));
  return outcomes.map((text) => JSON.parse(text) as Outcome);
}
