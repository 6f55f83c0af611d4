// Owns what a caller of the SDK's command socket may rely on: one answer a command, through breaks and kills. It refuses
// a command lost, twice in the journal, or answered with another's answer.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HouseholdKeys } from "../../clients/local/neighbourhood.ts";
import { type Accepted, type Draft, PolderClient } from "../../clients/sdk/client.ts";
import { CommandSocket } from "../../clients/sdk/command-socket.ts";
import { PolderProblem, TransportFault } from "../../clients/sdk/problem.ts";
import type { Signer } from "../../clients/sdk/signer.ts";
import type { Entry } from "../../market/journal.ts";
import { type OpenRegion, openRegionAt, REGION } from "../support/client-region.ts";

let region: OpenRegion;
let home: HouseholdKeys & { readonly signer: Signer };

beforeAll(async () => {
  region = await openRegionAt(2);
  home = await region.household("ann");
});

afterAll(() => region.stop());

const credit = (amountMicros: number): Draft => ({
  type: "credit_test_quote",
  account: home.account,
  amountMicros,
});

async function commandsInJournal(): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  for await (const line of region.client.journal(REGION)) {
    const { commandId } = (JSON.parse(line) as { entry: Entry }).entry;
    if (commandId !== undefined) times.set(commandId, (times.get(commandId) ?? 0) + 1);
  }
  return times;
}

describe("the command socket", () => {
  test("rejects: with code and facts of the table, and goes on", async () => {
    const socket = new CommandSocket(region.client, REGION);
    await expect(
      socket.submit(home.signer, { type: "cancel_order", orderId: 999_999 }),
    ).rejects.toMatchObject({ code: "order_not_found", status: 404, facts: { orderId: 999_999 } });
    await expect(
      socket.submit(home.signer, { type: "submit_readings", firstSlot: 4, netWh: [0, 0, 0, 0] }),
    ).rejects.toBeInstanceOf(PolderProblem);
    expect(await socket.submit(region.operator, credit(1))).toHaveProperty("receipt");
    socket.close();
  });

  test("rejects: work where nobody listens, after its tries, and work after it was closed", async () => {
    const { deployment } = region.client;
    const nobody = new PolderClient("http://127.0.0.1:9");
    nobody.deployment = () => deployment.call(region.client);
    const socket = new CommandSocket(nobody, REGION, { retries: 1 });
    await expect(socket.submit(region.operator, credit(1))).rejects.toBeInstanceOf(TransportFault);
    const closed = new CommandSocket(region.client, REGION);
    closed.close();
    await expect(closed.submit(region.operator, credit(1))).rejects.toBeInstanceOf(TransportFault);
  });

  test("behavior: three hundred commands at once each get their own answer, in their order", async () => {
    const socket = new CommandSocket(region.client, REGION);
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) => socket.submit(region.operator, credit(index + 1))),
    );
    answers.forEach((answer, index) => {
      expect(answer.events).toContainEqual(expect.objectContaining({ amountMicros: index + 1 }));
    });
    const entries = answers.map(({ entry }) => entry);
    expect(entries).toEqual([...entries].sort((left, right) => left - right));
    socket.close();
  });

  test("invariant: kills of workerd under way lose no command and double none; all are answered in the end", async () => {
    const socket = new CommandSocket(region.client, REGION, { retries: 60 });
    const answered: Accepted[] = [];
    const running = Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let turn = 0; turn < 60; turn += 1)
          answered.push(await socket.submit(region.operator, credit(1)));
      }),
    );
    for (let kill = 0; kill < 2; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      process.kill(region.stack.workerdPid, "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 1_500));
    }
    await running;
    socket.close();
    const times = await commandsInJournal();
    expect(answered).toHaveLength(16 * 60);
    expect(answered.map(({ commandId }) => times.get(commandId))).toEqual(answered.map(() => 1));
  }, 60_000);
});
