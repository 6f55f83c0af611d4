// Owns the promises of the feed: frames in order without gaps, and nobody is buffered for without bound.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { directoryOf } from "../../durable-objects/directory.ts";
import { CLOSE_RESYNC, Feed } from "../../durable-objects/feed.ts";
import { MAX_LISTENER_BACKLOG_BYTES, MAX_LISTENERS_PER_FEED } from "../../protocol/limits.ts";
import { address, credit, place } from "../support/market.ts";
import { profileNamed } from "./profile.ts";
import {
  deadlineS,
  env,
  FIRST_SLOT,
  gateway,
  goTo,
  openedRegion,
  rest,
  useMarketTime,
} from "./region-under-test.ts";

useMarketTime();

interface Frame {
  readonly type: "hello" | "frame";
  readonly entry: number;
  readonly first: number;
  readonly last: number;
  readonly entries: readonly {
    readonly number: number;
    readonly events: readonly { readonly type: string }[];
  }[];
}

/** A listener of one shard, as a browser would be one. */
class Listener {
  readonly socket: WebSocket;
  readonly texts: string[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;

  constructor(response: Response) {
    const { webSocket } = response;
    if (webSocket === null) throw new Error(`no socket but ${response.status}`);
    this.socket = webSocket;
    this.socket.addEventListener("message", ({ data }) => void this.texts.push(String(data)));
    this.socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
    });
    this.socket.accept();
  }

  get frames(): Frame[] {
    return this.texts.filter((text) => text.startsWith("{")).map((text) => JSON.parse(text) as Frame);
  }

  /** Numbers of the entries it was told of. */
  get entries(): number[] {
    return this.frames.slice(1).flatMap(({ entries }) => entries.map(({ number }) => number));
  }
}

const UPGRADE = { headers: { upgrade: "websocket" } };
const shardOf = (region: string, shard = 0): DurableObjectStub<Feed> =>
  env.FEED.getByName(`${region}/${shard}`);

async function listen(region: string, shard = 0): Promise<Listener> {
  return new Listener(await shardOf(region, shard).fetch(`https://feed/${region}/${shard}`, UPGRADE));
}

async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; turns < 300 && !condition(); turns += 1) await rest(5);
  expect(condition()).toBe(true);
}

describe("the feed", () => {
  test("rejects: a message that is no acknowledgement, by closing that listener alone", async () => {
    const { region } = await openedRegion();
    const listeners = await Promise.all([listen(region.name), listen(region.name), listen(region.name)]);
    const [loud, binary, quiet] = listeners as [Listener, Listener, Listener];
    loud.socket.send("ack -1");
    binary.socket.send(new Uint8Array([1, 2, 3]));
    await until(() => loud.closed !== null && binary.closed !== null);
    expect([loud.closed?.code, binary.closed?.code, quiet.closed]).toEqual([1008, 1008, null]);
  });

  test("behavior: begins with a hello that says where the journal stands", async () => {
    const { region } = await openedRegion(1);
    const listener = await listen(region.name);
    await until(() => listener.frames.length > 0);
    expect(listener.frames[0]).toEqual({
      type: "hello",
      region: region.name,
      ...(await region.stub.head()),
      backlogLimit: MAX_LISTENER_BACKLOG_BYTES,
    });
  });

  test("behavior: every entry after the hello comes once, in order, in frames and not one by one", async () => {
    const { region } = await openedRegion(2);
    await rest(120);
    const listener = await listen(region.name);
    const from = (await region.stub.head()).entry;
    for (let batch = 0; batch < 3; batch += 1) {
      await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          region.accept(place(address(1 + (index % 2)), "sell", [[index, 1]])),
        ),
      );
    }
    goTo(deadlineS(FIRST_SLOT));
    await region.ring();
    const { entry } = await region.stub.head();
    await until(() => listener.entries.at(-1) === entry);
    expect(listener.entries).toEqual(Array.from({ length: entry - from }, (_, index) => from + 1 + index));
    expect(listener.frames.length).toBeLessThan(30);
    for (const { first, last, entries } of listener.frames.slice(1)) {
      expect([entries[0]?.number, entries.at(-1)?.number]).toEqual([first, last]);
    }
    expect(listener.texts.join("")).not.toContain('"filledWh"');
  });

  test("behavior: listeners that come while the market runs have no gap between hello and first frame", async () => {
    const { region } = await openedRegion(1);
    const listeners: Listener[] = [];
    for (let round = 0; round < 12; round += 1) {
      const work = Promise.all(
        Array.from({ length: 1 + (round % 4) }, () => region.accept(credit(address(1), 1))),
      );
      listeners.push(await listen(region.name));
      await work;
      await rest(17);
    }
    const { entry } = await region.stub.head();
    await until(() =>
      listeners.every(({ frames, entries }) => frames[0]?.entry === entry || entries.at(-1) === entry),
    );
    for (const { frames, entries } of listeners) {
      const news = entries.filter((number) => number > (frames[0] as Frame).entry);
      expect(news).toEqual(news.map((_, index) => (frames[0] as Frame).entry + 1 + index));
    }
  });

  test("behavior: a listener that stays 256 kB behind is closed with resync, one that acknowledges is not", async () => {
    const { region } = await openedRegion();
    // The frame of its opening goes to nobody first.
    await rest(100);
    const lazy = await listen(region.name);
    const diligent = await listen(region.name);
    const frame = `"${"x".repeat(100_000)}"`;
    for (let count = 0; count < 6; count += 1) {
      await shardOf(region.name).publish(frame);
      await until(() => diligent.texts.length === count + 2);
      diligent.socket.send(`ack ${frame.length}`);
      await rest(10);
    }
    await until(() => lazy.closed !== null);
    expect(lazy.closed).toEqual({ code: CLOSE_RESYNC, reason: "resync" });
    expect(lazy.texts.length).toBe(3);
    expect(diligent.closed).toBeNull();
    expect(await shardOf(region.name).listeners()).toBe(1);
  });

  test("behavior: an acknowledgement of more than was sent is no credit", async () => {
    const { region } = await openedRegion();
    const listener = await listen(region.name);
    listener.socket.send("ack 999999999");
    await rest(20);
    for (let count = 0; count < 3; count += 1) await shardOf(region.name).publish("x".repeat(100_000));
    await until(() => listener.closed !== null);
    expect(listener.closed?.code).toBe(CLOSE_RESYNC);
  });

  test("behavior: answers ping by itself and goes on after hibernation", async () => {
    const { region } = await openedRegion(1);
    const listener = await listen(region.name);
    await rest(60);
    await evictDurableObject(shardOf(region.name));
    listener.socket.send("ping");
    await until(() => listener.texts.includes("pong"));
    const { entry } = await region.accept(place(address(1), "sell", [[1, 1]]));
    await until(() => listener.entries.includes(entry));
    expect(listener.closed).toBeNull();
  });

  test("behavior: a region that was evicted still knows its feeds", async () => {
    const { region } = await openedRegion(1);
    const listener = await listen(region.name);
    await rest(80);
    await region.evict();
    const { entry } = await region.accept(place(address(1), "sell", [[1, 1]]));
    await until(() => listener.entries.includes(entry));
  });

  test("behavior: a feed without listeners is forgotten, and remembered with the next one", async () => {
    const { region } = await openedRegion(1);
    const feeds = (): Promise<number> =>
      region.inside(
        (_region, { storage }) => storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM feeds").one().n,
      );
    const first = await listen(region.name);
    expect(await feeds()).toBe(1);
    first.socket.close(1000, "");
    await rest(200);
    await until(() => first.closed !== null);
    await region.accept(place(address(1), "sell", [[1, 1]]));
    for (let turns = 0; turns < 100 && (await feeds()) > 0; turns += 1) await rest(5);
    expect(await feeds()).toBe(0);
    const second = await listen(region.name);
    const { entry } = await region.accept(place(address(1), "sell", [[1, 1]]));
    await until(() => second.entries.includes(entry));
  });

  test("regression: a listener that comes while an empty feed's answer is on its way is not forgotten", async () => {
    const { region } = await openedRegion(1);
    await rest(100);
    await region.inside((_region, { storage }) => void storage.sql.exec("INSERT INTO feeds VALUES (0)"));
    const publish = vi.spyOn(Feed.prototype, "publish");
    publish.mockImplementationOnce((() => rest(80).then(() => 0)) as never);
    await region.accept(place(address(1), "sell", [[1, 1]]));
    for (let turns = 0; turns < 100 && publish.mock.calls.length === 0; turns += 1) await rest(2);
    const listener = await listen(region.name);
    await rest(120);
    publish.mockRestore();
    const { entry } = await region.accept(place(address(1), "sell", [[2, 1]]));
    await until(() => listener.entries.includes(entry));
  });

  test("behavior: a full shard sends its listener on to the next one, and when all are full says so", async () => {
    const { region } = await openedRegion(1);
    await directoryOf(env).register(encodeURIComponent(JSON.stringify(profileNamed(region.name))));
    const join = (): Promise<Response> =>
      gateway.fetch(`https://polder/v1/regions/${region.name}/feed`, UPGRADE);
    const first = new Listener(await join());
    await runInDurableObject(
      shardOf(region.name, 0),
      (feed: Feed) => void vi.spyOn(feed, "listeners").mockReturnValue(MAX_LISTENERS_PER_FEED),
    );
    const second = new Listener(await join());
    expect(await shardOf(region.name, 1).listeners()).toBe(1);
    const { entry } = await region.accept(place(address(1), "sell", [[1, 1]]));
    await until(() => first.entries.includes(entry) && second.entries.includes(entry));
    for (let shard = 1; shard < 16; shard += 1) {
      await runInDurableObject(
        shardOf(region.name, shard),
        (feed: Feed) => void vi.spyOn(feed, "listeners").mockReturnValue(MAX_LISTENERS_PER_FEED),
      );
    }
    const refused = await join();
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "feed_full", transient: true });
  });

  test("behavior: a thousand listeners of one shard all hear the same, and the next is refused", async () => {
    const { region } = await openedRegion(1);
    const listeners: Listener[] = [];
    while (listeners.length < MAX_LISTENERS_PER_FEED) {
      listeners.push(...(await Promise.all(Array.from({ length: 50 }, () => listen(region.name)))));
    }
    const refused = await shardOf(region.name).fetch(`https://feed/${region.name}/0`, UPGRADE);
    expect(refused.status).toBe(503);
    const { entry } = await region.accept(place(address(1), "sell", [[1, 1]]));
    await until(() => listeners.every(({ entries }) => entries.includes(entry)));
  });
});
