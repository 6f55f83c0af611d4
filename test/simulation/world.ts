// Owns one simulated world: a region on its platform, people, a network, a witness, all on one virtual clock. It refuses
// every source of chance but the steps it is given.

import { createHash } from "node:crypto";
import type { Outcome } from "../../durable-objects/outcome.ts";
import type { Admission } from "../../durable-objects/proof-attempts.ts";
import type { Region } from "../../durable-objects/region.ts";
import type { ProvedSubmission } from "../../evidence/signed-command.ts";
import type { Head } from "../../protocol/answers.ts";
import { act } from "./acts.ts";
import { AgentHome } from "./agent-home.ts";
import { type FaultPlan, faultyRules, watchedRules } from "./faulty-rules.ts";
import { type HostWatcher, ObjectHost } from "./object-host.ts";
import { REGION } from "./people.ts";
import { Clients, type Draft } from "./requests.ts";
import { type SabotageName, sabotageOf } from "./sabotage.ts";
import { type Attack, describeStep, SMOOTH, type Step, type Trip } from "./steps.ts";
import { Timeline } from "./timeline.ts";
import { type Sent, Traffic, type TrafficWatcher, type Verification } from "./traffic.ts";
import { Windows } from "./windows.ts";
import { Witness } from "./witness.ts";

/** Half an hour before a midnight, as far from the platform's own clock as anything. */
const BEGINS_MS = 20_000 * 86_400_000 - 1_800_000;
/** Steps follow each other this closely, so that requests share flushes. */
const STEP_MS = 2;
const HOUR_MS = 3_600_000;
/** Every so many turns, and after each failure of the disk, the state is made again from storage. */
const RECOVER_EVERY = 40;
/** Small, so that a short life has snapshots, segments and rows that left for the archive. */
const SNAPSHOT_POLICY = { entries: 20, characters: 60_000 };
const SEGMENT_CHARACTERS = 9_000;

/** One world. */
export class World implements HostWatcher, TrafficWatcher {
  readonly timeline = new Timeline(BEGINS_MS);
  readonly witness: Witness;
  readonly host: ObjectHost;
  readonly clients: Clients;
  readonly traffic: Traffic;
  readonly windows: Windows;
  readonly accepted = new Map<string, number>();
  readonly refused = new Map<string, number>();
  readonly faults = { "rules failed": 0, "clock set": 0, "fault escaped": 0, "household vanished": 0 };
  /** Attacks by name. */
  readonly attacks: Partial<Record<Attack, number>> = {};
  frames = 0;
  /** The next fault of the rules, or null. */
  rulesFault: FaultPlan | null = null;
  /** Whether somebody listens to the feed. */
  isHeard = false;
  readonly #trace = createHash("sha256");
  readonly #say: ((line: string) => void) | null;
  readonly #sabotage: ReturnType<typeof sabotageOf>;
  #turns = 0;
  /** Failures of the disk so far. */
  #failures = 0;
  #faultsAnswered = 0;

  /** The household that the shipping agent runs, or null in a seed without it. */
  readonly agent: AgentHome | null;

  constructor(withAgent: boolean, sabotage: SabotageName | null, say: ((line: string) => void) | null) {
    this.#say = say;
    this.#sabotage = sabotageOf(sabotage);
    this.host = new ObjectHost(REGION, this.timeline, this, (frame) => this.#hear(frame));
    this.clients = new Clients(() => this.timeline.nowMs);
    const { proving, trading } = this.clients;
    this.witness = new Witness(
      (command, evidence) => proving.gatewayOf(command, evidence),
      (...said) => trading.vouched(...said),
    );
    this.traffic = new Traffic(this.timeline, this.host, this);
    this.windows = new Windows(this.timeline, this.traffic, this.clients, (text) => this.note(text));
    const { timeline, host, witness } = this;
    const send = (draft: Draft, trip: Trip) => this.traffic.send(draft, trip);
    const fail = (check: string, message: string) => witness.fail(check, message);
    this.agent = withAgent ? new AgentHome({ timeline, host, send, fail, proving }) : null;
    this.#sabotage.platform?.(this.host);
    this.#sabotage.gateway?.(this.traffic);
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
    for (const draft of await this.clients.opening(this.agent !== null)) {
      await this.traffic.send(draft, SMOOTH);
      await this.pass(20);
    }
    if (this.traffic.requests.some(({ isAnswered }) => !isAnswered))
      this.witness.fail("opening", "a region without faults did not answer");
  }

  /** Does one step and lets its moment pass. */
  async perform(step: Step): Promise<void> {
    this.note(describeStep(step));
    await act(this, step);
    await this.pass(STEP_MS);
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
    this.witness.started(region, this.host.storage);
    this.#sabotage.instance?.(region);
    const sabotaged = this.#sabotage.rules?.(region.engine.rules) ?? region.engine.rules;
    region.engine.rules = watchedRules(
      faultyRules(sabotaged, () => this.#nextFault()),
      this.witness,
    );
  }

  afterTurn(region: Region): void {
    this.#turns += 1;
    const { fail: failures } = this.host.storage.accidents;
    const isHurt = failures !== this.#failures;
    this.#failures = failures;
    if (isHurt || this.#turns % RECOVER_EVERY === 0) this.witness.recovers(region, this.host.storage);
  }

  durable(head: Head): void {
    const { region } = this.host;
    if (region === null || this.isOver) return;
    this.witness.durable(region, head);
    this.witness.balances(region);
    this.witness.registries(region, Math.floor(this.host.wallMs / 1000));
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
    this.#mustBeHonest(draft, code);
  }

  /** What only a forger can be told is told to no one who is honest. */
  #mustBeHonest(draft: Draft, code: string): void {
    if (draft.isHonest)
      this.witness.fail("honest requests pass", `the gateway refused ${draft.name}: ${code}`);
  }

  admitted({ command }: ProvedSubmission, admission: Admission): Verification {
    const { host } = this;
    return this.witness.attempts.admitted(command, admission, host.counts.starts, host.wallMs);
  }

  sent({ submission }: Sent): void {
    this.witness.sent(submission.commandId);
  }

  answered(request: Sent, outcome: Outcome): void {
    const { draft, submission } = request;
    this.witness.answered(outcome, draft.mustFail, draft.name);
    draft.tell?.(outcome);
    if ("rejection" in outcome) {
      const { code } = outcome.rejection;
      if (code === "internal_fault") this.#expectFault(draft.name);
      if (code === "proof_invalid" || code === "evidence_malformed") this.#mustBeHonest(draft, code);
      if (code === "proof_attempts_exhausted" && submission.command.type === "submit_readings")
        this.witness.attempts.exhausted(submission.command);
      this.#count(this.refused, code);
      this.note(`${draft.name} is refused: ${JSON.stringify(outcome.rejection)}`);
      request.isAnswered = true;
      return;
    }
    const { entry } = outcome.answer;
    this.note(`${draft.name} is entry ${entry}`);
    const isNews = !request.isAccepted;
    Object.assign(request, { isAnswered: true, isAccepted: true });
    if (!isNews) return;
    this.#count(this.accepted, submission.command.type);
    if (draft.who !== null && submission.command.type === "place_order")
      this.clients.homes[draft.who]?.orders.push(entry);
  }

  /** A fault of ours is answered only where one was made, and each costs one command at most. */
  #expectFault(name: string): void {
    this.#faultsAnswered += 1;
    const made = this.faults["rules failed"] + this.host.storage.accidents.fail;
    if (this.#faultsAnswered > made)
      this.witness.fail(
        "faults hurt one",
        `${name} met a fault; ${made} were made, ${this.#faultsAnswered} answered`,
      );
  }

  isThere({ who }: Draft): boolean {
    return who === null || this.clients.homes[who]?.isAway !== true;
  }

  note(text: string): void {
    const line = `${this.timeline.nowMs - BEGINS_MS} ${text}`;
    this.#trace.update(`${line}\n`);
    this.#say?.(line);
  }

  /** Lets time pass, or less once something was not as it must be. */
  pass(milliseconds: number): Promise<void> {
    return this.timeline.runUntil(this.timeline.nowMs + Math.max(0, milliseconds), () => this.isOver);
  }

  /** A frame tells of durable entries only, as they are. */
  #hear(frame: string): number {
    this.frames += 1;
    const { entries } = JSON.parse(frame) as { entries: { number: number; atS: number }[] };
    for (const { number, atS } of entries) this.witness.heard(number, atS);
    return this.isHeard ? 1 : 0;
  }

  #nextFault(): FaultPlan["when"] | null {
    if (this.rulesFault === null) return null;
    this.rulesFault.after -= 1;
    if (this.rulesFault.after >= 0) return null;
    const { when } = this.rulesFault;
    this.rulesFault = null;
    this.faults["rules failed"] += 1;
    return when;
  }

  #count(counts: Map<string, number>, name: string): void {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}
