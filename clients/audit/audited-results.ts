// Owns the check of a region's audits from its journal: every audit was drawn, and what was drawn was audited, as far as a journal
// can tell. It refuses to guess: of results whose block it does not have it says that only the chain can tell.

import { isDrawn } from "../../evidence/audit-draw.ts";
import type { Entry } from "../../market/journal.ts";
import { type DrawTerms, drawTermsAt } from "../../market/resources/draw-terms.ts";
import type { RegionState } from "../../market/state.ts";
import { NO_BLOCK } from "../../protocol/audits.ts";
import type { MarketEvent } from "../../protocol/events.ts";
import type { Hex } from "../../protocol/fields.ts";

/** A result that stood alone, from its report until it is settled and its epoch's secret is shown. */
interface Result {
  readonly obligation: number;
  readonly fuelMega: number;
  /** Of the trade. */
  readonly epoch: number;
  readonly auditRateBps: number;
  /** By which it was audited, if it was. */
  blockHash: Hex | null;
  isSettled: boolean;
}

/** What was found of audits. */
export interface AuditsHeld {
  /** Results that were run again, and those of them that were drawn. */
  readonly recorded: number;
  readonly drawn: number;
  /** Results that were run again because others of the same job differed from them. */
  readonly disputed: number;
  /** Audited, and not drawn by the epoch's secret and the block that was named. */
  readonly undrawn: readonly number[];
  /** Drawn by the secret alone, as a region without a chain draws, and not audited. */
  readonly missed: readonly number[];
  /** Results that were not audited and whose block the journal does not have. */
  readonly untold: number;
  /** Results that are not settled, or whose epoch's secret was not shown, in this journal. */
  readonly unshown: number;
}

/** Follows jobs, their audits and the secrets through a journal. */
export class AuditedResults {
  readonly #sold = new Map<number, DrawTerms>();
  readonly #results = new Map<number, Map<number, Result>>();
  readonly #disputed = new Set<number>();
  readonly #secrets = new Map<number, Hex>();
  readonly #undrawn: number[] = [];
  readonly #missed: number[] = [];
  #recorded = 0;
  #drawn = 0;
  #ofDisputes = 0;
  #untold = 0;

  get held(): AuditsHeld {
    const open = [...this.#results.values()].reduce((sum, results) => sum + results.size, 0);
    return {
      recorded: this.#recorded,
      drawn: this.#drawn,
      disputed: this.#ofDisputes,
      undrawn: this.#undrawn,
      missed: this.#missed,
      untold: this.#untold,
      unshown: open,
    };
  }

  /** Takes in an entry that the rules gave, with the state it leads to. */
  take({ command, events, atS }: Entry, state: RegionState): void {
    if (command?.type === "record_audit") this.#audit(command.obligationId, command.blockHash);
    for (const event of events) this.#follow(event, atS, state);
  }

  #follow(event: MarketEvent, atS: number, state: RegionState): void {
    if (event.type === "resource_traded") {
      const sold = drawTermsAt(state, atS);
      event.orders.forEach((_, index) => {
        this.#sold.set(event.firstObligation + index, sold);
      });
    } else if (event.type === "result_reported") this.#report(event.obligation, event.fuelMega);
    else if (event.type === "results_awaited" && event.isDisputed)
      for (const obligation of event.obligations) this.#dispute(obligation);
    else if (event.type === "obligation_settled" && event.isClosed)
      this.#close(event.obligation, event.verdict, state);
    else if (event.type === "obligations_lapsed") for (const id of event.obligations) this.#sold.delete(id);
    else if (event.type === "audits_revealed") this.#show(event.epoch, event.secret, state);
  }

  #report(obligation: number, fuelMega: number): void {
    const { epoch, auditRateBps } = this.#soldAs(obligation);
    const results = this.#results.get(epoch) ?? new Map<number, Result>();
    results.set(obligation, { obligation, fuelMega, epoch, auditRateBps, blockHash: null, isSettled: false });
    this.#results.set(epoch, results);
  }

  /** Results that differ are not drawn: they are run again by anybody who will. */
  #dispute(obligation: number): void {
    this.#disputed.add(obligation);
    this.#results.get(this.#soldAs(obligation).epoch)?.delete(obligation);
  }

  /** Where a majority agreed, nothing was drawn either. */
  #close(obligation: number, verdict: string | undefined, state: RegionState): void {
    const sold = this.#sold.get(obligation);
    if (sold === undefined) return;
    this.#sold.delete(obligation);
    const results = this.#results.get(sold.epoch);
    const result = results?.get(obligation);
    if (result === undefined) return;
    if (verdict === "agreed" || verdict === "disagreed") results?.delete(obligation);
    else {
      result.isSettled = true;
      this.#draw(sold.epoch, state);
    }
  }

  #audit(obligation: number, blockHash: Hex): void {
    this.#recorded += 1;
    if (this.#disputed.has(obligation)) {
      this.#ofDisputes += 1;
      return;
    }
    const result = this.#results.get(this.#soldAs(obligation).epoch)?.get(obligation);
    if (result !== undefined) result.blockHash = blockHash;
  }

  #show(epoch: number, secret: Hex, state: RegionState): void {
    this.#secrets.set(epoch, secret);
    this.#draw(epoch, state);
  }

  /** Draws again, with what was secret until now, where nothing can be run again any more. */
  #draw(epoch: number, { header }: RegionState): void {
    const secret = this.#secrets.get(epoch);
    const results = this.#results.get(epoch);
    if (secret === undefined || results === undefined) return;
    const hasChain = header.opened?.quote === "settlement";
    for (const { obligation, fuelMega, auditRateBps, blockHash, isSettled } of results.values()) {
      if (!isSettled) continue;
      results.delete(obligation);
      if (blockHash === null && hasChain) this.#untold += 1;
      else if (isDrawn(secret, blockHash ?? NO_BLOCK, obligation, fuelMega, auditRateBps)) {
        if (blockHash === null) this.#missed.push(obligation);
        else this.#drawn += 1;
      } else if (blockHash !== null) this.#undrawn.push(obligation);
    }
  }

  #soldAs(obligation: number): DrawTerms {
    const sold = this.#sold.get(obligation);
    if (sold === undefined) throw new Error(`obligation ${obligation} was never sold`);
    return sold;
  }
}
