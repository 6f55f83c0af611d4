// Owns a household that the shipping agent runs over the shipping SDK: its clock, its memory, and a `fetch` that is the
// simulated network. It refuses any path that an agent does not ask for.

import type { WindowInputs } from "../../circuits/meter-witness.ts";
import type { ProvedWindow } from "../../circuits/prover.ts";
import { HouseholdAgent } from "../../clients/household/agent.ts";
import { type AgentMemory, volatileMemory } from "../../clients/household/agent-memory.ts";
import type { MeterSource } from "../../clients/household/meter-source.ts";
import { RegionRegistry } from "../../clients/household/region-registry.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { PolderProblem, TransportFault } from "../../clients/sdk/problem.ts";
import { sessionSigner } from "../../clients/sdk/signer.ts";
import type { Region } from "../../durable-objects/region.ts";
import type { Command } from "../../protocol/commands.ts";
import { problemOf, rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { meterOf } from "./meters.ts";
import { CLOCK_ORIGIN, type ObjectHost } from "./object-host.ts";
import { AGENT_HOME, DOMAIN, keyOf, OPERATOR, REGION } from "./people.ts";
import type { Proving } from "./proving.ts";
import type { Draft } from "./requests.ts";
import { SMOOTH, type Trip } from "./steps.ts";
import type { Timeline } from "./timeline.ts";
import { inside } from "./virtual-globals.ts";

/** Who carries an agent's requests, and is told what must not be. */
export interface AgentWorld {
  readonly timeline: Timeline;
  readonly host: ObjectHost;
  readonly send: (draft: Draft, trip: Trip) => Promise<void>;
  readonly fail: (check: string, message: string) => void;
  readonly proving: Proving;
}

/** A connection without an answer is given up after this long. */
const TIMEOUT_MS = 10_000;
/** A prover takes about this long. */
const PROVES_MS = 1_500;
/** What the sun and the home do, by window; a slot before the agent lived has no reading. */
const NET_WH = [240, -310, 900, -120, 0, -55] as const;

/** One household with the real agent. */
export class AgentHome {
  readonly counts = {
    wakes: 0,
    "steps finished": 0,
    "steps given up": 0,
    restarts: 0,
    "windows proved": 0,
    "windows accepted": 0,
  };
  readonly #world: AgentWorld;
  #memory: AgentMemory = volatileMemory();
  #agent: HouseholdAgent;
  #life = 0;
  #isBusy = false;
  #trips: readonly Trip[] = [];
  #requests = 0;
  #draws = 0;

  constructor(world: AgentWorld) {
    this.#world = world;
    this.#agent = this.#make();
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** The agent does what is to do; its requests have these trips, one after the other and over again. */
  async wake(trips: readonly Trip[] = [SMOOTH]): Promise<void> {
    if (this.#isBusy) return;
    this.counts.wakes += 1;
    this.#trips = trips;
    this.#isBusy = true;
    const life = this.#life;
    const atS = Math.floor(this.#world.timeline.nowMs / 1000);
    await this.#turn(life, () => {
      this.#agent.step(atS).then(
        () => this.#ended(life, "steps finished"),
        (fault: unknown) => {
          this.#ended(life, "steps given up");
          if (!(fault instanceof PolderProblem || fault instanceof TransportFault))
            this.#world.fail("the agent stands", String(fault));
        },
      );
    });
  }

  /** The agent's process ends and another one begins, with its file of memories or without it. */
  restart(forgets: boolean): void {
    this.counts.restarts += 1;
    this.#life += 1;
    this.#isBusy = false;
    if (forgets) this.#memory = volatileMemory();
    this.#agent = this.#make();
  }

  #ended(life: number, how: "steps finished" | "steps given up"): void {
    if (life !== this.#life) return;
    this.counts[how] += 1;
    this.#isBusy = false;
  }

  #make(): HouseholdAgent {
    const life = this.#life;
    const fetching = (url: string, init?: { readonly body?: string }) => this.#fetch(life, url, init?.body);
    const client = new PolderClient("http://simulated", { fetch: fetching as unknown as typeof fetch });
    const { gateway, secret, limits } = METER;
    return new HouseholdAgent({
      name: AGENT_HOME.name,
      client,
      region: REGION,
      signer: sessionSigner(AGENT_HOME.account, keyOf(AGENT_HOME, 0).seed),
      meters: [{ source: SOURCE, gatewaySeed: gateway.seed, secret, limits }],
      claims: { stepWh: 5 },
      prover: { prove: (inputs) => this.#prove(life, inputs) },
      registry: new RegionRegistry(client, REGION),
      tariff: {
        name: "flat",
        currency: "EUR",
        feedInMicrosPerKwh: 80_000,
        retail: { kind: "flat", microsPerKwh: 300_000 },
      },
      memory: this.#memory,
    });
  }

  /** The prover's process: it takes its time, and what it answers after the agent's end reaches nobody. */
  #prove(life: number, inputs: WindowInputs): Promise<ProvedWindow> {
    const { timeline, proving } = this.#world;
    return new Promise((resolve, reject) => {
      timeline.after(PROVES_MS, () =>
        this.#turn(life, () => {
          try {
            resolve(proving.proveInputs(inputs, METER.gateway.id));
            this.counts["windows proved"] += 1;
          } catch (error) {
            reject(error);
          }
        }),
      );
    });
  }

  /** One turn of the agent's own event loop; nothing of an agent that has ended runs any more. */
  async #turn(life: number, work: () => void): Promise<void> {
    if (life !== this.#life) return;
    const { timeline, fail } = this.#world;
    const thrown = await inside(
      {
        nowMs: () => timeline.nowMs,
        later: (then, milliseconds) => timeline.after(milliseconds, () => this.#turn(life, then)),
        random: () => {
          this.#draws += 1;
          return (this.#draws * 0.6180339887498949) % 1;
        },
        logged: () => undefined,
      },
      work,
    );
    if (thrown !== null) fail("the agent stands", String(thrown));
  }

  /** The network under the SDK. */
  #fetch(life: number, url: string, body: string | undefined): Promise<unknown> {
    const { timeline } = this.#world;
    const trip = this.#trips[this.#requests % this.#trips.length] ?? SMOOTH;
    this.#requests += 1;
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const settle = (work: () => void): Promise<void> | undefined => {
        if (isSettled) return;
        isSettled = true;
        return this.#turn(life, work);
      };
      timeline.after(TIMEOUT_MS, () => settle(() => reject(new Error("no answer"))));
      const answer = (status: number, value: unknown): void => {
        const text = JSON.stringify(value);
        timeline.after(0, () => settle(() => resolve({ ok: status < 300, status, text: async () => text })));
      };
      this.#route(url, body, trip, answer);
    });
  }

  #route(
    url: string,
    body: string | undefined,
    trip: Trip,
    answer: (status: number, value: unknown) => void,
  ): void {
    const path = url.replace("http://simulated", "");
    const { account } = AGENT_HOME;
    if (body !== undefined) this.#command(body, trip, answer);
    else if (path === "/v1/deployment") answer(200, DEPLOYMENT);
    else if (path === `/v1/regions/${REGION}/market`) this.#read((region) => region.market(), trip, answer);
    else if (path === `/v1/regions/${REGION}/accounts/${account}/orders`)
      this.#read((region) => ({ orders: region.orders(account) }), trip, answer);
    else if (path.startsWith(REGISTRY_PATH))
      this.#registry(Number(path.slice(REGISTRY_PATH.length)), trip, answer);
    else throw new Error(`an agent asks for ${path}`);
  }

  #command(body: string, trip: Trip, answer: (status: number, value: unknown) => void): void {
    const { timeline, send } = this.#world;
    const { command, signature, sessionKey, evidence } = JSON.parse(body) as {
      command: Command;
      signature: Hex;
      sessionKey: Hex;
      evidence?: unknown;
    };
    const raw = {
      command,
      auth: { scheme: "session", key: sessionKey, signature } as const,
      ...(evidence === undefined ? {} : { evidence }),
    };
    const draft: Draft = {
      name: `agent's ${command.type}`,
      who: null,
      raw,
      mustFail: false,
      isHonest: true,
      tell: (outcome) => {
        if ("answer" in outcome) {
          if (command.type === "submit_readings") this.counts["windows accepted"] += 1;
          return answer(200, outcome.answer);
        }
        const problem = problemOf(outcome.rejection);
        answer(problem.status, problem);
      },
    };
    // The SDK sends again what was lost; the network itself does not.
    timeline.hold(() => send(draft, { ...trip, retries: 0 }));
  }

  #registry(firstSlot: number, trip: Trip, answer: (status: number, value: unknown) => void): void {
    const none = problemOf(rejected("registry_not_found", { firstSlot }));
    const told = (status: number, value: unknown) =>
      value === null ? answer(none.status, none) : answer(status, value);
    this.#read((region) => region.registry(firstSlot), trip, told);
  }

  #read<T>(
    work: (region: Region) => T,
    { outMs, backMs }: Trip,
    answer: (status: number, value: unknown) => void,
  ): void {
    const { timeline, host } = this.#world;
    for (const milliseconds of outMs) {
      timeline.after(milliseconds, () =>
        host.call(
          work,
          (result) => {
            if (backMs !== null) timeline.after(backMs, () => answer(200, result));
          },
          () => {
            const problem = problemOf(rejected("internal_fault"));
            answer(problem.status, problem);
          },
        ),
      );
    }
  }
}

const METER = meterOf(AGENT_HOME, 0, 0);
const REGISTRY_PATH = `/v1/regions/${REGION}/registry/`;
const SOURCE: MeterSource = {
  read: (slot) => ({
    netWh: NET_WH[Math.floor(slot / 4) % NET_WH.length] as number,
    generationWh: null,
    loadWh: null,
  }),
};

const DEPLOYMENT = {
  ...DOMAIN,
  operator: OPERATOR.account,
  receiptKey: `0x${"00".repeat(32)}`,
  clock: { origin: CLOCK_ORIGIN, rate: 1 },
};
