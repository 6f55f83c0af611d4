// Owns what a region's own key signs beside receipts: the commands that no account sends, and that the outputs of a result are held. It
// refuses to sign for an account.

import {
  type AttestedResult,
  attestDelivery,
  type DeliveryAttestation,
} from "../evidence/delivery-attestation.ts";
import { sessionKeyOf, signSession } from "../evidence/session-signature.ts";
import type { SignedCommand } from "../evidence/signed-command.ts";
import { marketTimeS } from "../protocol/clock.ts";
import { type CommandOf, commandSchemas } from "../protocol/commands.ts";
import { MAX_COMMAND_LIFE_S } from "../protocol/limits.ts";
import { commandDigest } from "../protocol/typed-data.ts";
import { type Env, marketClock, receiptSeed, signingDomain } from "./environment.ts";
import type { ReleasedRun } from "./job-calls.ts";

type RegionCommand = "commit_audits" | "reveal_audits" | "record_audit" | "release_run";
type Own<T extends RegionCommand> = Omit<CommandOf<T>, "region" | "nonce" | "expiresAtS">;

/** Market seconds in which what is signed must reach the region, where it has no end of its own. */
const SIGNED_FOR_SECONDS = 600;

/** Signs for one region. */
export class RegionKey {
  readonly #env: Env;
  readonly #region: string;

  constructor(env: Env, region: string) {
    this.#env = env;
    this.#region = region;
  }

  /**
   * A command as it travels.
   * @param untilS market time until which it counts; ten minutes from now where nothing is said
   */
  sign<T extends RegionCommand>(own: Own<T>, untilS?: number): SignedCommand {
    const domain = signingDomain(this.#env);
    const seed = receiptSeed(this.#env);
    const nonce = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    const expiresAtS = untilS ?? this.#atS() + SIGNED_FOR_SECONDS;
    // Decoded, as what comes through the gateway is: the journal's text has a command's fields in their one order.
    const command = commandSchemas[own.type].parse({ ...own, region: this.#region, nonce, expiresAtS });
    const signature = signSession(seed, commandDigest(domain, command));
    return { chainId: domain.chainId, command, signature, sessionKey: sessionKeyOf(seed) };
  }

  /** The run of which nothing sound came is over, or the lease whose machine is gone; said until the trade's own deadline. */
  release({ obligationId, jobDigest, deadlineS }: ReleasedRun, hasFailed: boolean): SignedCommand {
    const untilS = Math.min(deadlineS, this.#atS() + MAX_COMMAND_LIFE_S - 3_600);
    return this.sign<"release_run">({ type: "release_run", obligationId, jobDigest, hasFailed }, untilS);
  }

  /** The outputs of this result are held. */
  attest(result: AttestedResult): DeliveryAttestation {
    return attestDelivery(signingDomain(this.#env), result, receiptSeed(this.#env));
  }

  #atS(): number {
    return marketTimeS(marketClock(this.#env), Date.now());
  }
}
