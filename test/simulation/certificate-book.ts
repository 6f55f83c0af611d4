// Owns what every epoch's certificates must be made of: what each account sold and bought in it, by its slots, and the
// commitment it had sent last. It refuses the region's sums and its table of commitments.

import type { EpochCertificate } from "../../evidence/certificate-tree.ts";
import type { Entry } from "../../market/journal.ts";
import type { EventOf } from "../../protocol/events.ts";

/** The certificates by slots and commands. */
export class CertificateBook {
  /** By address. */
  readonly #commitments = new Map<string, string>();
  #soldWh = new Map<number, number>();
  #boughtWh = new Map<number, number>();
  readonly #epochs = new Map<number, readonly EpochCertificate[]>();

  take({ command }: Entry): void {
    if (command?.type === "commit_certificate") this.#commitments.set(command.account, command.commitment);
  }

  cleared({ accounts, filledWh }: EventOf<"slot_cleared">): void {
    accounts.forEach((account, index) => {
      const wh = filledWh[index] as number;
      const side = wh > 0 ? this.#soldWh : this.#boughtWh;
      side.set(account, (side.get(account) ?? 0) + Math.abs(wh));
    });
  }

  /** An epoch closes; answers what is wrong with its sums. */
  closed(event: EventOf<"epoch_closed">, addresses: readonly string[]): string | null {
    const traders = [...new Set([...this.#soldWh.keys(), ...this.#boughtWh.keys()])].sort((a, b) => a - b);
    const lines = traders.map((account) => ({
      account,
      commitment: this.#commitments.get(addresses[account] as string) ?? null,
      soldWh: this.#soldWh.get(account) ?? 0,
      boughtWh: this.#boughtWh.get(account) ?? 0,
    }));
    this.#soldWh = new Map();
    this.#boughtWh = new Map();
    const told = event.accounts.map((account, row) => ({
      account,
      isCertified: event.certified[row] === 1,
      soldWh: event.soldWh[row],
      boughtWh: event.boughtWh[row],
    }));
    const own = lines.map(({ account, commitment, soldWh, boughtWh }) => ({
      account,
      isCertified: commitment !== null,
      soldWh,
      boughtWh,
    }));
    const certificates = lines.flatMap(({ commitment, soldWh, boughtWh }) =>
      commitment === null ? [] : [{ commitment, soldWh, boughtWh }],
    );
    this.#epochs.set(event.epoch, certificates);
    return JSON.stringify(told) === JSON.stringify(own)
      ? null
      : `epoch ${event.epoch} closed with ${JSON.stringify(told)}, by its slots ${JSON.stringify(own)}`;
  }

  /** What is wrong with what the region tells of a closed epoch, or null. */
  hold(epoch: number, told: readonly EpochCertificate[] | null): string | null {
    const own = this.#epochs.get(epoch);
    return JSON.stringify(told) === JSON.stringify(own)
      ? null
      : `epoch ${epoch} has ${JSON.stringify(told)}, by the book ${JSON.stringify(own)}`;
  }
}
