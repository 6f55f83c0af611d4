// Owns which failed audits become slashes of a stake, each once, and which slashes are due. It refuses a slash that the contract
// would refuse, one beside another on its way for the same job, and to let one that can never be stand before the others.

import {
  executeSlashCall,
  isJobSlashed,
  type KeptSlash,
  mostSlashMicros,
  queueSlashCall,
  slashCount,
  slashOf,
  slashRefusal,
} from "../../governance/calls/slash-calls.ts";
import type { StakeQuestion } from "../../governance/calls/stake-reads.ts";
import type { ChainRegion } from "../../protocol/chain-answer.ts";
import { NO_ADDRESS } from "../../protocol/fields.ts";
import type { FailedAudit } from "../result-records.ts";
import { callAt, decode, hexText, type Pin, quantity, type Read, troubleOf } from "./agreed-chain.ts";
import type { LatestView, Outbox, Posting } from "./outbox.ts";
import type { MirrorDesk, RegionMirror } from "./region-mirror.ts";
import type { MirrorPosting } from "./report-desk.ts";
import { ChainTrouble } from "./trouble.ts";

/** A slash on its way, into the contract's queue or out of it. */
export interface SlashPosting extends Posting {
  readonly kind: "slash";
  readonly region: string;
  /** What it is for, among the deployment's transactions. */
  readonly name: string;
}

/** What is kept of a region's slashes. Lost, it is made again: the contract knows for which jobs it has slashed. */
interface KeptSlashes {
  /** Failed audits of entries up to this one were taken in. */
  readonly after: number;
  /** Those that are not in a final block. */
  readonly waiting: readonly FailedAudit[];
  readonly passedOver: Readonly<Record<string, number>>;
  readonly lastRefusal: ChainRegion["lastSlashRefusal"];
}

const NOTHING: KeptSlashes = { after: 0, waiting: [], passedOver: {}, lastRefusal: null };

/** Beyond that, failed audits wait in their region. */
const MOST_WAITING = 256;
/** Slashes that are sent in one poll, to the queue and out of it: reports shall not stand behind many. */
const QUEUED_PER_POLL = 8;
const EXECUTED_PER_POLL = 4;
/** Slashes that are looked at in one poll for whether they are due. */
const LOOKED_AT_PER_POLL = 64;
/** More than either call takes. */
const MAX_GAS = 1_000_000;

/** Refusals that pass by themselves: a vote or time makes room, or the chain's clock gets there. */
const PASSING: ReadonlySet<string> = new Set([
  "ProviderStake_TooManyWaiting",
  "ProviderStake_AboveShare",
  "ProviderStake_AboveStake",
  "ProviderStake_NotOperator",
]);

/** The slashes of all regions of a deployment. */
export class SlashDesk {
  readonly #desk: MirrorDesk;
  readonly #outbox: Outbox<MirrorPosting>;
  /** First slash of each region that was not executed or cancelled when it was looked at. */
  readonly #firstOpen = new Map<string, number>();
  /** Endpoints by whose newest block a slash is refused for good. */
  readonly #refusing = new Map<string, Set<string>>();
  #turn = 0;

  constructor(desk: MirrorDesk, outbox: Outbox<MirrorPosting>) {
    this.#desk = desk;
    this.#outbox = outbox;
  }

  /** Queues and executes what is due in regions that the chain and the mirror agree on. @throws ChainTrouble of the endpoints */
  async poll(pin: Pin, mirrors: readonly RegionMirror[]): Promise<void> {
    if (this.#desk.providerStake === NO_ADDRESS) return;
    this.#turn += 1;
    for (const mirror of mirrors) {
      try {
        await this.#region(pin, mirror);
      } catch (error) {
        const trouble = troubleOf(error);
        if (!(trouble instanceof ChainTrouble) || trouble.isOfChain) throw trouble;
        mirror.trouble(trouble.problem);
      }
    }
  }

  async #region(pin: Pin, mirror: RegionMirror): Promise<void> {
    const kept = await this.#takeIn(mirror);
    const [count, ...done] = await this.#read(pin, [
      slashCount(mirror.word),
      ...kept.waiting.map(({ account, jobDigest }) => isJobSlashed(mirror.word, account, jobDigest)),
    ] as [StakeQuestion<number>, ...StakeQuestion<boolean>[]]);
    const waiting = kept.waiting.filter((_, place) => !done[place]);
    const left = await this.#queue(pin, mirror, { ...kept, waiting });
    if (left.waiting.length !== kept.waiting.length) await this.#keep(mirror, left);
    mirror.standing = {
      ...mirror.standing,
      slashesOnChain: count,
      slashesWaiting: left.waiting.length,
      slashesPassedOver: left.passedOver,
      lastSlashRefusal: left.lastRefusal,
    };
    await this.#execute(pin, mirror, count);
  }

  /** What was kept, with what the region has found since. */
  async #takeIn(mirror: RegionMirror): Promise<KeptSlashes> {
    const kept = (await this.#desk.memory.get<KeptSlashes>(keyOf(mirror))) ?? NOTHING;
    if (kept.waiting.length >= MOST_WAITING) return kept;
    const failed = await mirror.region.failedAudits(kept.after);
    const last = failed.at(-1);
    if (last === undefined) return kept;
    const taken = { ...kept, after: last.entry, waiting: [...kept.waiting, ...failed] };
    await this.#keep(mirror, taken);
    mirror.hasMore = true;
    return taken;
  }

  /** Sends what is not on its way. @returns what waits now */
  async #queue(pin: Pin, mirror: RegionMirror, kept: KeptSlashes): Promise<KeptSlashes> {
    let { waiting, lastRefusal } = kept;
    const passedOver = { ...kept.passedOver };
    let sent = 0;
    // Another one begins each time: those that the contract cannot take now hold up nobody.
    const first = (this.#turn * QUEUED_PER_POLL) % Math.max(1, kept.waiting.length);
    for (const failed of [...kept.waiting.slice(first), ...kept.waiting.slice(0, first)]) {
      if (sent === QUEUED_PER_POLL) break;
      const name = `slash/${mirror.name}/${failed.account}/${failed.jobDigest}`;
      if ((await this.#outbox.inFlight(name)) !== null) continue;
      sent += 1;
      const refusal = await this.#send(pin, mirror, name, failed);
      if (refusal === null) continue;
      waiting = waiting.filter((other) => other !== failed);
      passedOver[refusal] = (passedOver[refusal] ?? 0) + 1;
      lastRefusal = { entry: failed.entry, account: failed.account, refusal };
    }
    return { ...kept, waiting, passedOver, lastRefusal };
  }

  /** @returns the contract's word where it refuses the slash for good, as every endpoint has it */
  async #send(pin: Pin, mirror: RegionMirror, name: string, failed: FailedAudit): Promise<string | null> {
    const { account, nodeKey, jobDigest, outputHash, entry, reportedAtS: atS } = failed;
    // The market's clock may be ahead of the chain's.
    if (atS > pin.timeS) return null;
    const view = await this.#outbox.latest(this.#turn, this.#desk.chain.signal);
    const region = mirror.word;
    const isSlashed = await this.#readLatest(view, isJobSlashed(region, account, jobDigest));
    // In a block that is not final, or from before what was kept was lost: which of them, the next polls see.
    if (isSlashed) return null;
    // A smaller one is a slash as well: how much it is no single endpoint shall say.
    const [amountMicros] = await this.#read<[bigint]>(pin, [mostSlashMicros(region, account, atS)]);
    const wrong = { region, account, nodeKey, jobDigest, outputHash, entry, atS };
    const posting = { kind: "slash", region: mirror.name, name } as const;
    const refusal = await this.#post(mirror, view, { ...posting, data: queueSlashCall(wrong, amountMicros) });
    if (refusal === null) {
      this.#refusing.delete(name);
      return null;
    }
    const facts = { entry, account, refusal };
    if (!PASSING.has(refusal) && this.#isRefusedByAll(name, view)) {
      mirror.trouble({ code: "slash_refused", facts });
      return refusal;
    }
    mirror.trouble({ code: "slash_delayed", facts });
    return null;
  }

  /** Notes that an endpoint's newest block refuses a slash for good. One that lies shall delay it, and no more. */
  #isRefusedByAll(name: string, { rpc }: LatestView): boolean {
    const refusing = (this.#refusing.get(name) ?? new Set()).add(rpc.name);
    this.#refusing.set(name, refusing);
    if (refusing.size < this.#desk.chain.rpcs.length) return false;
    return this.#refusing.delete(name);
  }

  /** Executes slashes that are due and that no vote has cancelled. Anybody may; so does the mirror. */
  async #execute(pin: Pin, mirror: RegionMirror, count: number): Promise<void> {
    if (mirror.standing.stage !== "open") return;
    const first = this.#firstOpen.get(mirror.name) ?? 1;
    const numbers = Array.from(
      { length: Math.max(0, Math.min(LOOKED_AT_PER_POLL, count - first + 1)) },
      (_, step) => first + step,
    );
    if (numbers.length === 0) return;
    const slashes = await this.#read<KeptSlash[]>(
      pin,
      numbers.map((number) => slashOf(mirror.word, number)),
    );
    const firstOpen = slashes.findIndex(({ stage }) => stage === "queued");
    this.#firstOpen.set(mirror.name, firstOpen === -1 ? first + numbers.length : first + firstOpen);
    mirror.hasMore ||= firstOpen === -1 && first + numbers.length <= count;
    let sent = 0;
    for (const [place, { stage, dueAtS }] of slashes.entries()) {
      if (stage !== "queued" || dueAtS > pin.timeS || sent === EXECUTED_PER_POLL) continue;
      const name = `execute/${mirror.name}/${numbers[place]}`;
      if ((await this.#outbox.inFlight(name)) !== null) continue;
      sent += 1;
      const view = await this.#outbox.latest(this.#turn, this.#desk.chain.signal);
      const data = executeSlashCall(mirror.word, numbers[place] as number);
      // Refused: somebody executed or cancelled it since; what is final tells.
      await this.#post(mirror, view, { kind: "slash", region: mirror.name, name, data });
    }
  }

  /** Rehearses a call, and sends it where the contract would take it. @returns the contract's word where it would not */
  async #post(
    mirror: RegionMirror,
    view: LatestView,
    posting: Omit<SlashPosting, "to" | "gas">,
  ): Promise<string | null> {
    const { mirror: from, chain, providerStake: to } = this.#desk;
    const { rpc } = view;
    const estimate = { method: "eth_estimateGas", params: [{ from, to, data: posting.data }] };
    const [said, gas] = await rpc.ask([callAt(to, posting.data, "latest", from), estimate], chain.signal);
    if (said !== undefined && "error" in said) {
      if (said.error.data === null)
        throw new ChainTrouble("rpc_refused", { rpc: rpc.name, error: said.error.message });
      return slashRefusal(said.error.data);
    }
    if (gas === undefined || "error" in gas) {
      mirror.trouble({ code: "gas_missing", facts: { error: gas?.error.message ?? "" } });
      return null;
    }
    const estimated = decode(rpc, quantity, gas.result);
    if (estimated > MAX_GAS) throw new ChainTrouble("slash_delayed", { gas: estimated });
    const problem = await this.#outbox.post(
      { ...posting, to, gas: Math.ceil(estimated * 1.25) },
      view,
      chain.signal,
    );
    if (problem !== null) mirror.trouble(problem);
    return null;
  }

  #keep(mirror: RegionMirror, kept: KeptSlashes): Promise<void> {
    return this.#desk.memory.put(keyOf(mirror), kept);
  }

  #read<T extends readonly unknown[]>(pin: Pin, asked: { [K in keyof T]: StakeQuestion<T[K]> }): Promise<T> {
    const { chain, providerStake: to } = this.#desk;
    const reads = (asked as readonly StakeQuestion<unknown>[]).map((question) => ({ to, ...question }));
    return chain.read<T>(pin, reads as unknown as { [K in keyof T]: Read<T[K]> });
  }

  async #readLatest<T>({ rpc }: LatestView, { data, decode: read }: StakeQuestion<T>): Promise<T> {
    const { providerStake, chain } = this.#desk;
    const [answer] = await rpc.need([callAt(providerStake, data, "latest")], chain.signal);
    return read(decode(rpc, hexText, answer));
  }
}

const keyOf = ({ name }: RegionMirror): string => `slashes/${name}`;
