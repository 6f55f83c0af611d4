// Owns one simulated world: a region on its platform, people, a network, a witness, all on one virtual clock. It refuses
// every source of chance but the steps it is given.

import { createHash } from "node:crypto";
import type { Region } from "../../durable-objects/region.ts";
import type { Outcome } from "../../durable-objects/submission.ts";
import type { Head } from "../../protocol/answers.ts";
import { attackOf } from "./attacks.ts";
import { type FaultPlan, faultyRules, watchedRules } from "./faulty-rules.ts";
import { type HostWatcher, ObjectHost } from "./object-host.ts";
import { OPERATOR, REGION, walletPen } from "./people.ts";
import { Clients, type Draft, homeOf, TERMS } from "./requests.ts";
import { type SabotageName, sabotageOf } from "./sabotage.ts";
import { describeStep, type Step, type Trip } from "./steps.ts";
import { Timeline } from "./timeline.ts";
import { type Sent, SMOOTH, Traffic, type TrafficWatcher } from "./traffic.ts";
import { Witness } from "./witness.ts";

/** Half an hour before a midnight, as far from the platform's own clock as anything. */
const BEGINS_MS = 20_000 * 86_400_000 - 1_800_000;
/** Steps follow each other this closely, so that requests share flushes. */
const STEP_MS = 2;
const HOUR_MS = 3_600_000;
/** Every so many turns that wrote, the state is made again from storage. */
const RECOVER_EVERY = 40;
/** Small, so that a short life has snapshots, segments and rows that left for the archive. */
const SNAPSHOT_POLICY = { entries: 25, characters: 60_000 };
const SEGMENT_CHARACTERS = 9_000;
/** After the last step nothing goes wrong any more, and the region has this long to do by itself what is due. */
const SETTLING_MS = 3 * HOUR_MS + 60_000;
const REASKED = 12;

/** One world. */
export class World implements HostWatcher, TrafficWatcher {
  readonly timeline = new Timeline(BEGINS_MS);
  readonly witness = new Witness();
  readonly host: ObjectHost;
  readonly clients: Clients;
  readonly traffic: Traffic;
  readonly accepted = new Map<string, number>();
  readonly refused = new Map<string, number>();
  readonly faults = { "rules failed": 0, "clock set": 0, "fault escaped": 0, "household vanished": 0 };
  frames = 0;
  readonly #trace = createHash("sha256");
  readonly #say: ((line: string) => void) | null;
  readonly #sabotage: ReturnType<typeof sabotageOf>;
  #plan: FaultPlan | null = null;
  #turns = 0;
  #isHeard = false;

  constructor(sabotage: SabotageName | null, say: ((line: string) => void) | null) {
    this.#say = say;
    this.#sabotage = sabotageOf(sabotage);
    this.host = new ObjectHost(REGION, this.timeline, this, (frame) => this.#hear(frame));
    this.clients = new Clients(() => this.timeline.nowMs);
    this.traffic = new Traffic(this.timeline, this.host, this);
    this.#sabotage.platform?.(this.host);
  }

  /** True once something was not as it must be. */
  get isOver(): boolean {
    return this.witness.failure !== null;
  }

  /** Hash of everything that happened so far. */
  get traceHash(): string {
    return this.#trace.copy().digest("hex");
  }

  /** Hours of virtual time that have passed. */
  get hours(): number {
    return (this.timeline.nowMs - BEGINS_MS) / HOUR_MS;
  }

  close(): void {
    this.host.storage.close();
  }

  /** Opens the region and brings the households in; nothing goes wrong yet. */
  async open(): Promise<void> {
    for (const draft of await this.clients.opening()) {
      await this.traffic.send(draft, SMOOTH);
      await this.#pass(20);
    }
    if (this.traffic.requests.some(({ isAnswered }) => !isAnswered))
      this.witness.fail("opening", "a region without faults did not answer");
  }

  /** Does one step and lets its moment pass. */
  async perform(step: Step): Promise<void> {
    this.note(describeStep(step));
    await this.#do(step);
    await this.#pass(STEP_MS);
  }

  /** Nothing goes wrong any more: what is due happens by itself, everybody gets the answer they had, the audit passes. */
  async settle(): Promise<void> {
    this.#calm();
    await this.#pass(SETTLING_MS);
    const nowS = Math.floor(this.timeline.nowMs / 1000);
    if ((this.witness.book.dueS ?? 0) <= nowS - 60)
      this.witness.fail("acts by itself", `what was due at ${this.witness.book.dueS} is not done at ${nowS}`);
    for (const request of this.traffic.requests.slice(-REASKED)) this.traffic.carry(request, SMOOTH);
    const body = { type: "set_parameters", parameters: TERMS } as const;
    await this.traffic.send(await this.clients.draft("probe", null, body, walletPen(OPERATOR)), SMOOTH);
    const probe = this.traffic.requests.at(-1) as Sent;
    await this.#pass(30_000);
    if (!this.isOver && this.witness.answers.get(probe.submission.commandId) === undefined)
      this.witness.fail("works again", "a sound request to a calm region was not accepted");
    if (this.host.openCalls > 0)
      this.witness.fail("everybody is answered", `${this.host.openCalls} calls were never answered`);
    await this.audit();
    this.host.evict();
    await this.host.turn((region) => this.witness.balances(region));
  }

  /** Everything that can be checked, now. */
  async audit(): Promise<void> {
    const { region } = this.host;
    if (region === null || this.isOver) return;
    this.witness.recovers(region, this.host.storage);
    this.witness.balances(region);
    await this.witness.audit(region, this.host.bucket);
  }

  // --- What the host tells. ---

  started(region: Region): void {
    this.note(`an instance starts at entry ${region.head().entry}`);
    region.snapshotPolicy = SNAPSHOT_POLICY;
    region.segmentCharacters = SEGMENT_CHARACTERS;
    this.witness.started(region);
    this.#sabotage.instance?.(region);
    const sabotaged = this.#sabotage.rules?.(region.engine.rules) ?? region.engine.rules;
    region.engine.rules = watchedRules(
      faultyRules(sabotaged, () => this.#nextFault()),
      this.witness,
    );
  }

  afterTurn(region: Region): void {
    this.#turns += 1;
    if (this.#turns % RECOVER_EVERY === 0) this.witness.recovers(region, this.host.storage);
  }

  durable(head: Head): void {
    const { region } = this.host;
    if (region === null || this.isOver) return;
    this.witness.durable(region, head);
    this.witness.balances(region);
    this.note(`durable ${head.entry} ${head.hash}`);
  }

  escaped(fault: unknown): void {
    this.faults["fault escaped"] += 1;
    this.note(`escaped: ${String(fault)}`);
    this.witness.fail("nothing escapes", String(fault));
  }

  // --- What the network tells. ---

  refusedByGateway(draft: Draft, code: string): void {
    this.#count(this.refused, code);
    this.note(`the gateway refuses ${draft.name}: ${code}`);
    if (draft.isHonest)
      this.witness.fail("honest requests pass", `the gateway refused ${draft.name}: ${code}`);
  }

  sent({ submission }: Sent): void {
    this.witness.sent(submission.commandId);
  }

  answered(request: Sent, outcome: Outcome): void {
    const { draft, submission } = request;
    this.witness.answered(outcome, draft.mustFail, draft.name);
    if ("rejection" in outcome) {
      this.#count(this.refused, outcome.rejection.code);
      this.note(`${draft.name} is refused: ${JSON.stringify(outcome.rejection)}`);
      request.isAnswered = true;
      return;
    }
    const { entry } = outcome.answer;
    this.note(`${draft.name} is entry ${entry}`);
    const isNews = !request.isAnswered;
    request.isAnswered = true;
    if (!isNews) return;
    this.#count(this.accepted, submission.command.type);
    if (draft.who !== null && submission.command.type === "place_order")
      this.clients.homes[draft.who]?.orders.push(entry);
  }

  isThere({ who }: Draft): boolean {
    return who === null || this.clients.homes[who]?.isAway !== true;
  }

  note(text: string): void {
    const line = `${this.timeline.nowMs - BEGINS_MS} ${text}`;
    this.#trace.update(`${line}\n`);
    this.#say?.(line);
  }

  // --- What steps do. ---

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case "wait":
        return this.#pass(step.ms);
      case "wait for window":
        return this.#pass(this.#nextMomentMs() + step.offsetMs - this.timeline.nowMs);
      case "window ends":
        await this.#pass(this.#windowEndMs() + step.offsetMs - this.timeline.nowMs);
        for (const [who, trip] of step.trips.entries())
          await this.#send({ do: "readings", who, gateway: 0, trip });
        return;
      case "attack":
        return this.traffic.send(await attackOf(this.clients, step.how, step.who, step.salt), step.trip);
      case "replay":
        return this.#again(step.which, (request) => this.traffic.carry(request, step.trip));
      case "flood": {
        const outMs = Array.from({ length: step.copies }, (_, copy) => 5 + copy);
        return this.#again(step.which, (request) =>
          this.traffic.carry(request, { outMs, backMs: 5, retries: 0 }),
        );
      }
      case "ask":
        return this.#ask(step.which);
      case "read":
        return this.#read(step.who);
      case "listen":
        this.#isHeard = step.isThere;
        if (step.isThere) await this.host.call((region) => region.subscribe(0), nothing, nothing);
        return;
      default:
        if ("trip" in step) await this.#send(step);
        else this.#break(step);
    }
  }

  async #send(step: Extract<Step, { trip: Trip }>): Promise<void> {
    const draft = await this.clients.honest(step);
    if (draft !== null) await this.traffic.send(draft, step.trip);
  }

  /** What goes wrong, or is set to go wrong. */
  #break(step: Step): void {
    const { host } = this;
    switch (step.do) {
      case "vanish":
        this.faults["household vanished"] += 1;
        Object.assign(this.clients.homes[step.who] as object, {
          isAway: true,
          ...(step.forgets ? { orders: [] } : {}),
        });
        return;
      case "return":
        Object.assign(this.clients.homes[step.who] as object, { isAway: false });
        return;
      case "crash":
        host.crash();
        return;
      case "crash in turn":
        host.death = { point: step.point, after: step.after };
        return;
      case "crash in write":
        host.storage.accident = { kind: "die", table: step.table, after: step.after, times: 1 };
        return;
      case "evict":
        host.evict();
        return;
      case "disk fails":
        host.storage.accident = { kind: "fail", table: step.table, after: step.after, times: step.times };
        return;
      case "rules fail":
        this.#plan = { when: step.when, after: step.after };
        return;
      case "disk":
        host.diskMs = step.ms;
        return;
      case "bucket":
        host.bucket.mood = step.mood;
        return;
      case "snapshot":
        this.timeline.after(0, async () => {
          await host.turn((region) => region.engine.snapshot());
        });
        return;
      case "clock":
        this.faults["clock set"] += 1;
        host.skewMs = step.skewMs;
        host.planAlarm();
        return;
      case "drift":
        Object.assign(this.clients.homes[step.who] as object, { driftS: step.seconds });
        return;
      case "alarms":
        host.alarmHabit = step;
        host.planAlarm();
        return;
    }
  }

  #calm(): void {
    const { host } = this;
    host.storage.accident = null;
    host.death = null;
    this.#plan = null;
    host.diskMs = 3;
    host.bucket.mood = "sound";
    host.skewMs = 0;
    host.alarmHabit = { lateMs: 0, earlyMs: 0, isTwice: false };
    host.planAlarm();
    for (const home of this.clients.homes) Object.assign(home, { isAway: false, driftS: 0 });
  }

  #pass(milliseconds: number): Promise<void> {
    return this.timeline.runUntil(this.timeline.nowMs + Math.max(0, milliseconds), () => this.isOver);
  }

  /** The next end of a window, or of its time for evidence. */
  #nextMomentMs(): number {
    const dueMs = (this.witness.book.dueS ?? 0) * 1000;
    const endMs = this.#windowEndMs();
    return dueMs > this.timeline.nowMs ? Math.min(dueMs, endMs) : endMs;
  }

  /** Windows of four slots end with the hour. */
  #windowEndMs(): number {
    return (Math.floor(this.timeline.nowMs / HOUR_MS) + 1) * HOUR_MS;
  }

  #again(which: number, carry: (request: Sent) => void): void {
    const { requests } = this.traffic;
    // Mostly something that happened lately.
    carry(requests[Math.max(0, requests.length - 1 - (which % 40))] as Sent);
  }

  async #ask(which: number): Promise<void> {
    const answers = [...this.witness.answers.values()];
    const known = answers[which % Math.max(1, answers.length)];
    if (known === undefined) return;
    await this.host.call(
      (region) => region.answer(known.entry),
      (outcome) => {
        if ("rejection" in outcome)
          this.witness.fail("answers stay", `entry ${known.entry} is ${outcome.rejection.code}`);
        else this.witness.answered(outcome, false, "an answer asked for");
      },
      nothing,
    );
  }

  async #read(who: number): Promise<void> {
    const { account } = homeOf(who);
    await this.host.call(
      (region) => ({ ...readingsOf(region, account), health: region.health() }),
      ({ health, orders, market }) => {
        this.note(`read: ${orders.length} orders, slot ${market?.nextSlot}`);
        const [broken] = health.violations;
        if (broken !== undefined) this.witness.fail("invariants", `the health page says: ${broken}`);
      },
      nothing,
    );
  }

  /** A frame tells of durable entries only, as they are. */
  #hear(frame: string): number {
    this.frames += 1;
    const { entries } = JSON.parse(frame) as { entries: { number: number; atS: number }[] };
    for (const { number, atS } of entries) this.witness.heard(number, atS);
    return this.#isHeard ? 1 : 0;
  }

  #nextFault(): FaultPlan["when"] | null {
    if (this.#plan === null) return null;
    this.#plan.after -= 1;
    if (this.#plan.after >= 0) return null;
    const { when } = this.#plan;
    this.#plan = null;
    this.faults["rules failed"] += 1;
    return when;
  }

  #count(counts: Map<string, number>, name: string): void {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}

const nothing = (): void => undefined;

function readingsOf(region: Region, account: Parameters<Region["account"]>[0]) {
  return {
    market: region.market(),
    account: region.account(account),
    orders: region.orders(account),
    bill: region.bill(account, 0, 9_000_000),
    slots: region.slots(0, 9_000_000),
    epochs: region.epochs(0, 9_000_000),
  };
}
