// Owns the comparison of what was reported to a chain with what the journal gives. It refuses to believe either: the replayed
// state says what had to be reported, to the last account.

import { differenceOf, EMPTY_REPORT, type EpochReport } from "../../evidence/epoch-report.ts";
import { SumTree } from "../../evidence/sum-tree.ts";
import { accountSums } from "../../market/account-sums.ts";
import type { Entry } from "../../market/journal.ts";
import { epochOf } from "../../market/parameters.ts";
import type { RegionState } from "../../market/state.ts";
import type { EpochClosed } from "../../protocol/events.ts";
import type { Hex } from "../../protocol/fields.ts";
import { certificateRootOf } from "./certificate-root.ts";

/** The first report that the journal does not bear out, and where. */
export interface ReportDifference {
  readonly epoch: number;
  readonly part: string;
  readonly reported: string;
  /** What the journal gives. */
  readonly due: string;
}

/** Reports by epoch, held against a replay as its epochs close. */
export class ReportedEpochs {
  /** Reports that the journal bears out. */
  held = 0;
  difference: ReportDifference | null = null;
  readonly #waiting: Map<number, EpochReport>;

  constructor(reported: ReadonlyMap<number, EpochReport> = new Map()) {
    this.#waiting = new Map(reported);
  }

  /** Holds what an entry closes against its report; says what is wrong, or null. */
  take(entry: Entry, state: RegionState, hash: string): string | null {
    for (const event of entry.events) {
      if (event.type !== "epoch_closed") continue;
      const reported = this.#waiting.get(event.epoch);
      if (reported === undefined) continue;
      const wrong = this.#hold(reported, reportOf(entry, event, state, hash));
      if (wrong !== null) return wrong;
    }
    return null;
  }

  /** Holds what is left: before the region's first epoch only nothing may have been reported. */
  finish(state: RegionState): string | null {
    const { opened } = state.header;
    for (const [epoch, reported] of [...this.#waiting].sort(([one], [other]) => one - other)) {
      if (opened === null || epoch >= epochOf(state, opened.firstSlot))
        return `epoch ${epoch} was reported, and does not close in this journal`;
      const wrong = this.#hold(reported, { ...EMPTY_REPORT, epoch });
      if (wrong !== null) return wrong;
    }
    return null;
  }

  #hold(reported: EpochReport, due: EpochReport): string | null {
    this.#waiting.delete(reported.epoch);
    const difference = differenceOf(reported, due);
    if (difference === null) {
      this.held += 1;
      return null;
    }
    const { part, one, other } = difference;
    this.difference = { epoch: due.epoch, part, reported: one, due: other };
    return `epoch ${due.epoch} was reported with ${part} ${one}, and the journal gives ${other}`;
  }
}

/** The report that an entry which closes an epoch calls for, from the state right after it. */
function reportOf(entry: Entry, event: EpochClosed, state: RegionState, hash: string): EpochReport {
  const { root, totals } = new SumTree(accountSums(state));
  const { mirrored, depositsHash } = state.header;
  return {
    epoch: event.epoch,
    stateHash: entry.stateHash as Hex,
    journalRoot: `0x${hash}`,
    lastDeposit: mirrored.deposits,
    depositsHash,
    certificateRoot: certificateRootOf(state, event),
    sumRoot: root,
    totals,
  };
}
