// Owns the object that sends signed ballots for voters without ether: it wires the relay to the platform's storage and alarms. It
// refuses everything while the deployment has no key for it, and to let an alarm be the last one.

import { DurableObject } from "cloudflare:workers";
import type { Ballot } from "../governance/forms/ballot.ts";
import { ownBallotCall } from "../governance/forms/ballot.ts";
import { type Rejection, rejected } from "../protocol/errors.ts";
import type { Hex } from "../protocol/fields.ts";
import type { RelayAnswer, RelayedAnswer, VoterAnswer } from "../protocol/vote-answer.ts";
import type { Env } from "./environment.ts";
import { SettingsRefused } from "./mirror/settings.ts";
import { ChainTrouble } from "./mirror/trouble.ts";
import type { Told } from "./vote-index.ts";
import { RelayBallots } from "./votes/relay-ballots.ts";
import { RelayDesk, relayedAnswer } from "./votes/relay-desk.ts";
import { hasRelay, relaySettings } from "./votes/relay-settings.ts";
import { voteSettings } from "./votes/vote-settings.ts";

/** After a fault, and between two looks. Wall milliseconds. */
const FAULT_PAUSE_MS = 5_000;

/** One per governor; its name is the chain's id and the governor's address. */
export class VoteRelay extends DurableObject<Env> {
  #desk: RelayDesk | null = null;

  /** Null where the deployment sends no ballots. */
  async status(): Promise<Told<RelayAnswer | null>> {
    if (!hasRelay(this.env)) return { value: null };
    return this.#tell(async (desk) => desk.status());
  }

  async voter(proposal: string, voter: Hex): Promise<Told<VoterAnswer | null>> {
    if (!hasRelay(this.env)) return { rejection: rejected("relay_closed") };
    return this.#tell((desk) => desk.voter(proposal, voter));
  }

  /** Sends a ballot whose signature was checked. */
  async cast(ballot: Ballot, signature: Hex): Promise<Told<RelayedAnswer>> {
    if (!hasRelay(this.env))
      return {
        rejection: rejected("relay_closed", {
          to: voteSettings(this.env).roots.governor,
          data: ownBallotCall(ballot),
        }),
      };
    const told = await this.#tell((desk) => desk.cast(ballot, signature));
    if ("rejection" in told) return told;
    return "rejection" in told.value ? told.value : { value: relayedAnswer(told.value.ballot) };
  }

  /** Brings ballots on, and is set for the next time whatever happens: the platform gives up on an alarm that throws. */
  override async alarm(): Promise<void> {
    if (!hasRelay(this.env)) return;
    let nextMs: number | null = FAULT_PAUSE_MS;
    try {
      const desk = this.#made();
      nextMs = (await desk.work()) ? voteSettings(this.env).pollMs : null;
    } catch (error) {
      if (!(error instanceof ChainTrouble)) console.error("the relay failed", error);
      if (error instanceof SettingsRefused) nextMs = null;
    } finally {
      if (nextMs !== null) await this.ctx.storage.setAlarm(Date.now() + nextMs);
    }
  }

  async #tell<T>(ask: (desk: RelayDesk) => Promise<T>): Promise<Told<T>> {
    try {
      return { value: await ask(this.#made()) };
    } catch (error) {
      const rejection = rejectionOf(error);
      if (rejection === null) throw error;
      return { rejection };
    }
  }

  /** @throws SettingsRefused */
  #made(): RelayDesk {
    const { storage } = this.ctx;
    this.#desk ??= new RelayDesk({
      settings: relaySettings(this.env),
      memory: storage,
      ballots: new RelayBallots(storage.sql),
      wallMs: () => Date.now(),
      wakeAt: async (wallMs) => {
        // Never later than it is set for: ballots that keep coming must not put off those before them.
        const set = await storage.getAlarm();
        if (set === null || set > wallMs) await storage.setAlarm(wallMs);
      },
    });
    return this.#desk;
  }
}

function rejectionOf(error: unknown): Rejection | null {
  if (error instanceof ChainTrouble)
    return rejected("chain_away", { ...error.problem.facts, problem: error.problem.code });
  if (error instanceof SettingsRefused) return rejected("governance_missing", { reason: error.message });
  return null;
}
