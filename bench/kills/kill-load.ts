// Owns a load of known commands and what became of each: what was acknowledged must be found again, what was not may
// have been accepted or not. It refuses to send a command twice on its own.

import { audit } from "../../clients/audit/audit.ts";
import type { HouseholdKeys } from "../../clients/local/neighbourhood.ts";
import { type Accepted, type Draft, PolderClient } from "../../clients/sdk/client.ts";
import { CommandSocket } from "../../clients/sdk/command-socket.ts";
import { PolderProblem, TransportFault } from "../../clients/sdk/problem.ts";
import type { Signer } from "../../clients/sdk/signer.ts";
import type { Entry } from "../../market/journal.ts";
import type { Hex } from "../../protocol/fields.ts";
import { commandId } from "../../protocol/typed-data.ts";

type Signed = Awaited<ReturnType<PolderClient["sign"]>>;
type LoadHousehold = HouseholdKeys & { readonly signer: Signer };
/** One attempt to have a command accepted; an answer that is lost stays lost. */
type Attempt = (signed: Signed) => Promise<Accepted>;

/** What a journal says of a load. */
export interface Verdict {
  readonly acknowledged: number;
  /** Acknowledged, and not in the journal with the same entry and hash. */
  readonly lost: number;
  /** Commands that are in the journal more than once. */
  readonly duplicated: number;
  /** Sent, never acknowledged, and in the journal all the same: allowed, and found again by their id. */
  readonly silent: number;
  /** Refused, and in the journal all the same. */
  readonly contradicted: number;
  readonly auditFailure: string | null;
}

/** Sends commands as fast as they are answered, and remembers. */
export class Load {
  readonly acknowledged = new Map<Hex, Accepted>();
  readonly unanswered = new Map<Hex, Signed>();
  readonly refused = new Map<Hex, string>();
  readonly #region: string;
  readonly #operator: Signer;
  readonly #households: readonly LoadHousehold[];
  /** The last order of each household, which its next one replaces. */
  readonly #lastOrder = new Map<Hex, number>();

  constructor(region: string, operator: Signer, households: readonly LoadHousehold[]) {
    this.#region = region;
    this.#operator = operator;
    this.#households = households;
  }

  /** Runs so many senders until the signal, half of them by POST and half over a socket each. */
  async run(url: string, senders: number, signal: AbortSignal): Promise<void> {
    const client = new PolderClient(url, { retries: 0 });
    await Promise.all(
      Array.from({ length: senders }, async (_, sender) => {
        const socket = sender % 2 === 0 ? null : new CommandSocket(client, this.#region, { retries: 0 });
        const attempt: Attempt =
          socket === null
            ? (signed) => client.send("POST", `/v1/regions/${this.#region}/commands`, signed)
            : (signed) => socket.send(signed);
        for (let turn = 0; !signal.aborted; turn += 1) {
          const { signer, draft } = this.#draftOf(sender, turn);
          const id = await this.#send(client, attempt, signer, draft).catch(() => null);
          // What answers nothing any more is not worth hammering.
          if (id === null) await new Promise((resolve) => setTimeout(resolve, 20));
        }
        socket?.close();
      }),
    );
  }

  /** Sends what was never answered again, the very same signed commands; whether or not they had been accepted. */
  async settle(url: string): Promise<void> {
    const client = new PolderClient(url);
    for (const [id, signed] of this.unanswered) {
      this.unanswered.delete(id);
      try {
        this.acknowledged.set(id, await client.send("POST", `/v1/regions/${this.#region}/commands`, signed));
      } catch (error) {
        // What it replaces has been replaced in the meantime.
        if (!(error instanceof PolderProblem)) throw error;
        this.refused.set(id, error.code);
      }
    }
  }

  /** Reads the journal and holds everything that was acknowledged against it. */
  async verdict(url: string): Promise<Verdict> {
    const client = new PolderClient(url);
    const found = new Map<Hex, { entry: number; hash: string; times: number }>();
    const lines: string[] = [];
    for await (const line of client.journal(this.#region)) {
      lines.push(line);
      const { hash, entry } = JSON.parse(line) as { hash: string; entry: Entry };
      if (entry.commandId === undefined) continue;
      const before = found.get(entry.commandId)?.times ?? 0;
      found.set(entry.commandId, { entry: entry.number, hash, times: before + 1 });
    }
    let lost = 0;
    for (const [id, { entry, receipt }] of this.acknowledged) {
      const stands = found.get(id);
      if (stands?.entry !== entry || receipt.entry !== entry || receipt.entryHash !== `0x${stands.hash}`)
        lost += 1;
    }
    const receipts = [...this.acknowledged.values()].map(({ receipt }) => receipt);
    const report = await audit(await client.deployment(), lines, { receipts });
    return {
      acknowledged: this.acknowledged.size,
      lost,
      duplicated: [...found.values()].filter(({ times }) => times > 1).length,
      contradicted: [...this.refused.keys()].filter((id) => found.has(id)).length,
      silent: [...this.unanswered.keys()].filter((id) => found.has(id)).length,
      auditFailure:
        report.failure === null ? null : `entry ${report.failure.entry}: ${report.failure.reason}`,
    };
  }

  /** Orders of households, each replacing the one before; every fourth command is a credit by the operator's wallet. */
  #draftOf(sender: number, turn: number): { signer: Signer; draft: Draft } {
    const home = this.#households[sender % this.#households.length] as LoadHousehold;
    if (turn % 4 === 3) {
      return {
        signer: this.#operator,
        draft: { type: "credit_test_quote", account: home.account, amountMicros: 1 },
      };
    }
    const draft: Draft = {
      type: "place_order",
      side: sender % 2 === 0 ? "sell" : "buy",
      steps: [{ limitPriceMicrosPerKwh: 100_000 + (turn % 1_000), capWhPerSlot: 500 }],
      validFromS: 0,
      validUntilS: 0,
      hours: [],
      replaces: this.#lastOrder.get(home.account) ?? 0,
    };
    return { signer: home.signer, draft };
  }

  async #send(client: PolderClient, attempt: Attempt, signer: Signer, draft: Draft): Promise<Hex | null> {
    const signed = await client.sign(this.#region, signer, draft);
    const { chainId, settlement } = await client.deployment();
    const id = commandId({ chainId, settlement }, signed.command);
    try {
      const accepted = await attempt(signed);
      this.acknowledged.set(id, accepted);
      if (draft.type === "place_order") this.#lastOrder.set(signer.account, accepted.entry);
      return id;
    } catch (error) {
      if (error instanceof TransportFault) this.unanswered.set(id, signed);
      else if (error instanceof PolderProblem) {
        this.refused.set(id, error.code);
        // Replaced already, perhaps by a command whose answer a kill has taken: begin anew.
        if (error.code === "order_not_found") this.#lastOrder.delete(signer.account);
      } else throw error;
      return null;
    }
  }
}
