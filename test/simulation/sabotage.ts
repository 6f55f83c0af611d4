// Owns bugs that are put into a region or its platform on purpose, so that it can be tested that the simulator finds
// them. It refuses to be used by anything but such tests.

import type { Region } from "../../durable-objects/region.ts";
import { openRow } from "../../market/resources/obligations.ts";
import { NO_END_SLOT } from "../../protocol/events.ts";
import type { Rules } from "./faulty-rules.ts";
import type { ObjectHost } from "./object-host.ts";
import type { Traffic } from "./traffic.ts";

/** One bug: what it does to the platform and to the gateway once, to every new instance, and to the rules. */
interface Sabotage {
  readonly platform?: (host: ObjectHost) => void;
  readonly gateway?: (traffic: Traffic) => void;
  readonly instance?: (region: Region) => void;
  readonly rules?: (rules: Rules) => Rules;
}

/** Rules whose accepted commands are followed by something wrong. */
const afterwards =
  (wrong: (...done: Parameters<Rules["execute"]>) => void): NonNullable<Sabotage["rules"]> =>
  (rules) => ({
    ...rules,
    execute(...all) {
      const result = rules.execute(...all);
      if ("entry" in result) wrong(...all);
      return result;
    },
  });

/** Drops every nth write that a pattern fits. */
const dropping =
  (pattern: RegExp, every: number): NonNullable<Sabotage["platform"]> =>
  ({ storage }) => {
    let seen = 0;
    storage.drops = (query) => {
      if (pattern.test(query)) seen += 1;
      return pattern.test(query) && seen % every === 0;
    };
  };

export const SABOTAGES = {
  "answers leave before the commit": {
    platform: ({ storage }) => {
      storage.bugs.answersEarly = true;
    },
  },
  "a journal row is lost": { platform: dropping(/^INSERT INTO journal/, 8) },
  "a snapshot's section is lost": { platform: dropping(/INTO sections/, 40) },
  "half a transaction is kept": {
    platform: ({ storage }) => {
      storage.bugs.keepsHalfTransactions = true;
    },
  },
  "the archive throws away what it was given": {
    platform: ({ bucket }) => {
      bucket.isLeaky = true;
    },
  },
  "alarms are forgotten": {
    platform: ({ storage }) => {
      storage.bugs.forgetsAlarms = true;
    },
  },
  "an early alarm is not set again": {
    instance: (region) => {
      region.alarm = () => region.engine.flush();
    },
  },
  "recovery forgets accepted commands": {
    instance: ({ engine }) => engine.state.indexes.commands.clear(),
  },
  "a credit is applied twice": {
    rules: afterwards((state, { command }) => {
      if (command.type !== "credit_test_quote") return;
      const account = state.indexes.accountByAddress.get(command.account) as number;
      const balances = state.tables.accounts.columns.freeMicros;
      balances[account] = (balances[account] as number) + command.amountMicros;
      state.header.depositedMicros += command.amountMicros;
    }),
  },
  "escrow stays free": {
    rules: afterwards((state, { command }) => {
      if (command.type !== "place_resource_order") return;
      const { purchases, accounts } = state.tables;
      const account = state.indexes.accountByAddress.get(command.account) as number;
      if (purchases.rows === 0 || accounts.columns.escrowMicros[account] === 0) return;
      accounts.columns.freeMicros[account] = (accounts.columns.freeMicros[account] as number) + 1;
      state.header.depositedMicros += 1;
    }),
  },
  "anybody's voucher pays": {
    rules: (rules) => ({
      ...rules,
      execute(state, request, ...rest) {
        const { command, evidence } = request;
        if (command.type !== "settle_obligation" || evidence?.kind !== "delivery")
          return rules.execute(state, request, ...rest);
        const agreedBy = [...state.indexes.accountByAddress.keys()].map((address) => ({
          scheme: "wallet" as const,
          address,
        }));
        return rules.execute(state, { ...request, evidence: { ...evidence, agreedBy } }, ...rest);
      },
    }),
  },
  "a result is paid too early": {
    rules: afterwards((state, { command }) => {
      if (command.type !== "report_result") return;
      const row = openRow(state.tables.obligations, command.obligationId);
      if (row >= 0) state.indexes.obligations.postpone(row, state.header.atS + 60);
    }),
  },
  "the alarm decides when a slot clears": {
    rules: (rules) => ({
      ...rules,
      executeDue(state, atS, sha256) {
        const entry = rules.executeDue(state, atS, sha256);
        if (entry === null) return null;
        state.header.atS = atS;
        return { ...entry, atS };
      },
    }),
  },
  "a cancelled order stands in memory": {
    rules: afterwards((state, { command }) => {
      if (command.type !== "cancel_order") return;
      const { columns, rows } = state.tables.orders;
      for (let row = 0; row < rows; row += 1)
        if (columns.id[row] === command.orderId) columns.untilSlot[row] = NO_END_SLOT;
    }),
  },
  "a refusal uses up a number": {
    rules: (rules) => ({
      ...rules,
      execute(state, ...rest) {
        const result = rules.execute(state, ...rest);
        if ("rejection" in result) state.header.nextMeter += 1;
        return result;
      },
    }),
  },
  "a nullifier is forgotten": {
    rules: afterwards((state, { evidence }) => {
      if (evidence?.kind === "meter-proof") state.indexes.nullifiers.delete(evidence.nullifier);
    }),
  },
  "an enrolment reaches the open window": {
    rules: afterwards(({ header }, { command }) => {
      if (command.type !== "enrol_meter") return;
      const newest = header.roots.at(-1)?.root;
      header.roots = header.roots.map((root) => ({ ...root, root: newest ?? root.root }));
    }),
  },
  "a removal leaves the open window's root": {
    rules: (rules) => ({
      ...rules,
      execute(state, ...rest) {
        const [open] = state.header.roots;
        const result = rules.execute(state, ...rest);
        const [{ command }] = rest;
        const isRemoval = command.type === "revoke_meter" && command.isEmergency;
        const [emptied, ...later] = state.header.roots;
        if ("rejection" in result || !isRemoval || open === undefined || emptied === undefined) return result;
        // As if it acted from the next window on.
        const next = { fromSlot: state.header.windowFirstSlot + 4, root: emptied.root };
        state.header.roots = [open, ...(later.length === 0 ? [next] : later)];
        return result;
      },
    }),
  },
  "a leaf is not told": {
    instance: (region) => {
      const told = region.registry.bind(region);
      region.registry = (firstSlot) => {
        const registry = told(firstSlot);
        return registry === null ? null : { ...registry, leaves: registry.leaves.slice(0, -1) };
      };
    },
  },
  "a commitment is lost to readers": { platform: dropping(/INTO commitments/, 2) },
  "failed proofs are forgotten on a crash": {
    platform: ({ storage }) => {
      storage.bugs.forgetsOnCrash = "failed_proofs";
    },
  },
  "a proof is taken for one that holds": {
    gateway: (traffic) => {
      traffic.isCredulous = true;
    },
  },
} as const satisfies Record<string, Sabotage>;

export type SabotageName = keyof typeof SABOTAGES;

/** The bug of a name, or none. */
export function sabotageOf(name: SabotageName | null): Sabotage {
  return name === null ? {} : SABOTAGES[name];
}
