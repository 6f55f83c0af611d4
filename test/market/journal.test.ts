// Owns the journal's promises: exact lines, an unbroken chain, the same result whenever what is due is done, and a
// state that follows from the journal alone. It refuses a difference of a single byte.

import { describe, expect, test } from "vitest";
import {
  applyEntry,
  chainHash,
  decodeLine,
  type Entry,
  encodeLine,
  executeDue,
  GENESIS_HASH,
  stateHash,
} from "../../market/journal.ts";
import { freeze, thaw } from "../../market/snapshot.ts";
import { createState } from "../../market/state.ts";
import { commandSchema } from "../../protocol/commands.ts";
import { eventSchema } from "../../protocol/events.ts";
import type { Hex } from "../../protocol/fields.ts";
import { deposit, openSettlement, stake, withdraw } from "../support/chain-money.ts";
import {
  address,
  authorise,
  cancel,
  commit,
  deadlineS,
  FIRST_SLOT,
  type Market,
  MIDNIGHT_S,
  OPENED_AT_S,
  openMarket,
  place,
  prove,
  readings,
  replay,
  revoke,
  session,
  setParameters,
  settle,
  sha256,
  unenrol,
  word,
} from "../support/market.ts";
import { revealAudits, tradeCompute } from "../support/resource-drafts.ts";
import { bytesOf, indexesOf } from "../support/untouched-state.ts";

type Line = { hash: string; body: string };

/** A region in which every kind of command and event has happened. */
function lively(): Market {
  const market = openMarket({ parameters: { takeRateBps: 333, networkFeeMicrosPerKwh: 20_011 } });
  const [ann, bob, cas] = settle(market, 3) as [Hex, Hex, Hex];
  market.accept(authorise(ann, word(7), { dailyWh: 150 }));
  market.accept(
    place(
      ann,
      "sell",
      [
        [100_000, 60],
        [120_000, 60],
      ],
      { hours: [0, 1] },
      session(word(7)),
    ),
  );
  const { number } = market.accept(place(bob, "buy", [[300_000, 1_000]]));
  market.accept(place(cas, "buy", [[250_000, 1_000]]));
  market.accept(setParameters({ takeRateBps: 5 }));
  market.accept(commit(bob, 77));
  tradeCompute(market, ann, bob);
  prove(market, FIRST_SLOT, { 1: [100, 120, 5], 2: [-100, -40, -7], 3: [-17, 30] });
  market.accept(place(bob, "buy", [[200_000, 900]], { replaces: number }));
  prove(market, FIRST_SLOT + 4, { 1: [100, 120, 5], 2: [-100, -40, -7] });
  const epoch = Math.floor(OPENED_AT_S / 7_200);
  market.accept(revealAudits(epoch, word(epoch)));
  market.accept(revoke(ann, word(7)));
  market.accept(cancel(cas, number + 1));
  market.accept(unenrol(3));
  market.to(MIDNIGHT_S + 5 * 3_600);
  return market;
}

describe("lines", () => {
  test("rejects: what is not a line, by answering null", () => {
    const hash = sha256("x");
    const lines = ["", "{}", `{"hash":"${hash}","entry":{`, `{"hash":"${hash.toUpperCase()}","entry":{}}`];
    lines.push(
      `{"hash": "${hash}","entry":{}}`,
      `{"hash":"${hash.slice(1)}","entry":{}}`,
      `{"entry":{},"hash":"${hash}"}`,
    );
    for (const line of lines) expect(decodeLine(line)).toBeNull();
  });

  test("behavior: a line keeps the entry's exact bytes", () => {
    const body = '{"number": 1,   "é\\u0000}":[1e3]}';
    const line = encodeLine(sha256(body), body);
    expect(decodeLine(line)).toEqual({ hash: sha256(body), body });
    expect(JSON.parse(line)).toEqual({ hash: sha256(body), entry: JSON.parse(body) });
  });

  test("invariant: entries are numbered from one, chained from genesis, and never earlier than the one before", () => {
    const market = lively();
    let previous = GENESIS_HASH;
    let atS = 0;
    for (const [index, line] of market.lines.entries()) {
      const { hash, body } = decodeLine(line) as Line;
      expect(hash).toBe(chainHash(sha256, previous, body));
      const entry = JSON.parse(body) as Entry;
      expect(entry.number).toBe(index + 1);
      expect(entry.atS).toBeGreaterThanOrEqual(atS);
      previous = hash;
      atS = entry.atS;
    }
  });

  test("behavior: one changed byte changes every hash after it", () => {
    const [first, second] = lively().lines.map((line) => decodeLine(line) as Line) as [Line, Line];
    const forged = chainHash(sha256, GENESIS_HASH, first.body.replace("polder", "bolder"));
    expect(forged).not.toBe(first.hash);
    expect(chainHash(sha256, forged, second.body)).not.toBe(second.hash);
  });

  test("invariant: decoders accept every journaled event and command and change no byte of them", () => {
    const settling = openSettlement();
    settling.accept(deposit(settling, address(1), 100));
    settling.accept(withdraw(address(1), 10));
    settling.accept(stake(settling, address(1)));
    const types = new Set<string>();
    for (const { events, command } of [...lively().entries, ...settling.entries]) {
      for (const event of events) {
        types.add(event.type);
        expect(JSON.stringify(eventSchema.parse(event))).toBe(JSON.stringify(event));
      }
      if (command !== undefined) expect(commandSchema.parse(command)).toEqual(command);
    }
    expect([...types].sort()).toEqual(eventSchema.options.map((option) => option.shape.type.value).sort());
  });
});

describe("what the region does by itself", () => {
  test("behavior: one late call and many punctual ones give the same state and the same journal", () => {
    const prepare = (): Market => {
      const market = openMarket({ parameters: { takeRateBps: 100 } });
      const [ann, bob] = settle(market, 2) as [Hex, Hex];
      market.accept(place(ann, "sell", [[100_000, 60]]));
      market.accept(place(bob, "buy", [[300_000, 1_000]], { validUntilS: MIDNIGHT_S + 9_000 }));
      market.to(MIDNIGHT_S + 3_600);
      market.accept(readings(ann, 1, FIRST_SLOT, [50, 60, 70]));
      market.accept(readings(bob, 2, FIRST_SLOT, [-50, -60, -50]));
      return market;
    };
    const late = prepare();
    const punctual = prepare();
    const often = prepare();
    const endS = MIDNIGHT_S + 2 * 86_400 + 17;
    late.to(endS);
    for (let atS = punctual.atS; atS <= endS; atS += 900) punctual.to(atS);
    punctual.to(endS);
    for (let atS = often.atS; atS < endS; atS += 61) often.to(atS);
    often.to(endS);
    expect(punctual.lines).toEqual(late.lines);
    expect(often.lines).toEqual(late.lines);
    expect(bytesOf(punctual.state).equals(bytesOf(late.state))).toBe(true);
    expect(bytesOf(often.state).equals(bytesOf(late.state))).toBe(true);
  });

  test("behavior: nothing is done early, and nothing before a region is open", () => {
    expect(executeDue(createState(), MIDNIGHT_S, sha256)).toBeNull();
    const market = openMarket();
    const before = bytesOf(market.state);
    expect(executeDue(market.state, deadlineS(FIRST_SLOT) - 1, sha256)).toBeNull();
    expect(bytesOf(market.state).equals(before)).toBe(true);
    expect(executeDue(market.state, deadlineS(FIRST_SLOT), sha256)?.events[0]?.type).toBe("slot_cleared");
  });
});

describe("recovery", () => {
  test("rejects: by throwing, entries out of order and earlier ones", () => {
    const market = lively();
    const state = replay(market.lines.slice(0, 5));
    const [, fifth, sixth] = market.entries.slice(3, 6) as [Entry, Entry, Entry];
    expect(() => applyEntry(state, fifth)).toThrow("does not follow");
    expect(() => applyEntry(state, { ...sixth, atS: 1 })).toThrow("earlier");
    expect(() => applyEntry(replay(market.lines.slice(0, 4)), sixth)).toThrow("does not follow");
  });

  test("invariant: the journal's text alone gives the live state, byte for byte, with the same look-ups", () => {
    const market = lively();
    const rebuilt = replay(market.lines);
    expect(bytesOf(rebuilt).equals(bytesOf(market.state))).toBe(true);
    expect(indexesOf(rebuilt)).toEqual(indexesOf(market.state));
  });

  test("invariant: a snapshot at any entry plus the tail gives the live state", () => {
    const market = lively();
    for (let cut = 0; cut <= market.entries.length; cut += 1) {
      const frozen = freeze(replay(market.lines.slice(0, cut)));
      const head = JSON.parse(JSON.stringify(frozen.head)) as typeof frozen.head;
      const state = thaw(head, [...frozen.sections].reverse());
      for (const entry of market.entries.slice(cut)) applyEntry(state, entry);
      expect(bytesOf(state).equals(bytesOf(market.state)), `cut after ${cut}`).toBe(true);
      expect(indexesOf(state)).toEqual(indexesOf(market.state));
    }
  });

  test("rejects: by throwing, a snapshot with a section too few, too many or unknown", () => {
    const { head, sections } = freeze(lively().state);
    for (const [index, section] of sections.entries()) {
      const rest = sections.toSpliced(index, 1);
      expect(() => thaw(head, rest), `${section.table} ${section.column}`).toThrow("lacks");
    }
    expect(() => thaw(head, [...sections, sections[0] as (typeof sections)[0]])).toThrow("too many");
    expect(() =>
      thaw(head, [...sections, { table: "x", column: "y", offset: 0, bytes: new Uint8Array(1) }]),
    ).toThrow("no column");
  });

  test("behavior: a frozen state does not follow later changes", () => {
    const market = openMarket();
    const frozen = freeze(market.state);
    const before = bytesOf(market.state);
    settle(market, 20);
    expect(bytesOf(thaw(frozen.head, frozen.sections)).equals(before)).toBe(true);
  });

  test("invariant: the state hash depends on the state alone and stands on the entries that close an epoch", () => {
    const market = lively();
    expect(stateHash(replay(market.lines), sha256)).toBe(stateHash(market.state, sha256));
    const hashed = market.entries.filter(({ stateHash: found }) => found !== undefined);
    expect(hashed.length).toBeGreaterThan(1);
    for (const entry of market.entries) {
      const closes = entry.events.some(({ type }) => type === "epoch_closed");
      expect(entry.stateHash).toBe(
        closes ? stateHash(replay(market.lines.slice(0, entry.number)), sha256) : undefined,
      );
    }
    expect(new Set(hashed.map((entry) => entry.stateHash)).size).toBe(hashed.length);
  });
});
