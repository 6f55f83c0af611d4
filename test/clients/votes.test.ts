// Owns the command line's votes as a token holder meets them, against a real deployment and a real chain: draft, submit, vote,
// queue, execute, cancel, delegate, treasury. It refuses to let a bad draft get as far as the chain.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Stack } from "../../clients/local/stack.ts";
import { walletOf } from "../../evidence/wallet-key.ts";
import { testQuoteAbi } from "../../governance/generated/abi.ts";
import type { GovernanceAnswer, ParametersAnswer, ProposalAnswer } from "../../protocol/vote-answer.ts";
import { CommandLine } from "../support/client-commands.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { TOKEN, VOTE } from "../support/vote-file.ts";
import {
  ANN_KEY,
  BEN_KEY,
  CAROL_KEY,
  GUARDIAN_KEY,
  lower,
  REGION_ID,
  VotedChain,
} from "../support/voted-chain.ts";
import { startVotedStack } from "../support/voted-stack.ts";

const RELAY_KEY = "7e".repeat(32);

describe.skipIf(!hasAnvil)(
  "votes on the command line (skipped where npm has no anvil for the machine)",
  () => {
    let world: VotedChain;
    let stack: Stack;
    let line: CommandLine;
    let file: string;
    const as = (key: string): Record<string, string> => ({ POLDER_KEY: key, POLDER_RPC: world.chain.url });
    const json = async <T>(args: string[], env: Record<string, string> = {}): Promise<T> =>
      JSON.parse(await line.good([...args, "--json"], env)) as T;
    const draft = (...more: string[]) => ["proposal", "draft", "--out", file, ...more];
    const newest = async (): Promise<ProposalAnswer> => {
      const { proposals } = await json<{ proposals: ProposalAnswer[] }>(["proposal", "list"]);
      return proposals[0] as ProposalAnswer;
    };
    const count = async (): Promise<number> => (await json<GovernanceAnswer>(["treasury"])).proposals;

    beforeAll(async () => {
      world = await VotedChain.start();
      stack = await startVotedStack(world, { RELAY_KEY });
      await world.chain.client.setBalance({ address: walletOf(`0x${RELAY_KEY}`), value: 10n ** 18n });
      line = new CommandLine(stack.url, world.folder);
      file = join(world.folder, "draft.json");
    }, 60_000);
    afterAll(async () => {
      await stack?.stop();
      await world?.stop();
    });

    test("rejects: drafts that the contracts would refuse, each with its code; nothing is kept or sent", {
      timeout: 90_000,
    }, async () => {
      const set = (value: string) => draft("--region", REGION_ID, "--description", "A test", "--set", value);
      await line.bad([
        [set("takeRateBps=2001"), /parameters_out_of_bounds .*"most":"2000"/, as(ANN_KEY)],
        [set("takeRateBps=151"), /parameter_step_too_large .*"least":"50","most":"150"/, as(ANN_KEY)],
        [set("takeRateBps=100"), /parameter_unchanged/, as(ANN_KEY)],
        [set("takeRateBps=120"), /proposer_below_threshold/, as(CAROL_KEY)],
        [set("takeRate=120"), /the names are rewardWeightEnergy/, as(ANN_KEY)],
        [set("takeRateBps=1.5"), /name=whole number/, as(ANN_KEY)],
        [set("takeRateBps=120").toSpliced(-2, 2), /say what shall change/, as(ANN_KEY)],
        [draft("--region", REGION_ID, "--set", "takeRateBps=120"), /say what it is for/, as(ANN_KEY)],
        [
          draft("--description", "x", "--call", '{"call":"mint"}'),
          /Invalid discriminator value/,
          as(ANN_KEY),
        ],
        [draft("--description", "x", "--call", "{"), /write a call as JSON/, as(ANN_KEY)],
        [
          draft(
            "--description",
            "x",
            "--call",
            `{"call":"payQuote","to":"0x${"04".repeat(20)}","amountMicros":"1"}`,
          ),
          /call_refused .*ERC20InsufficientBalance/,
          as(ANN_KEY),
        ],
        [
          draft(
            ...["--description", "x", "--call"],
            `{"call":"otherCall","target":"${world.deployment.token}","signature":"delegate(address)","values":["${world.deployment.governor}"]}`,
          ),
          /call_not_allowed/,
          as(ANN_KEY),
        ],
        [set("takeRateBps=120"), /set POLDER_KEY/, {}],
      ]);
      expect(existsSync(file)).toBe(false);
      writeFileSync(
        join(world.folder, "bad.json"),
        JSON.stringify({
          description: "x",
          calls: [{ call: "changeValues", region: REGION_ID, values: { takeRateBps: 500 } }],
        }),
      );
      await line.bad([
        [["proposal", "submit", join(world.folder, "bad.json")], /parameter_step_too_large/, as(ANN_KEY)],
        [["proposal", "submit", join(world.folder, "none.json")], /none\.json/, as(ANN_KEY)],
        [["proposal", "vote", "1", "for"], /there is no proposal 1/, as(ANN_KEY)],
        [["proposal", "vote", "x", "for"], /not a proposal's number/, as(ANN_KEY)],
        [["proposal", "show", "1"], /there is no proposal 1/, {}],
      ]);
      expect(await count()).toBe(0);
    });

    test("behavior: the form shows what each value is, may become and by when; JSON says the same", async () => {
      const form = await json<ParametersAnswer>(["proposal", "draft", "--region", REGION_ID]);
      expect(form.values.find(({ name }) => name === "takeRateBps")).toMatchObject({
        ...{ current: "100", least: "0", most: "2000", lowestNext: "50", highestNext: "150" },
        ...{ coolDownSeconds: 604_800, changeableAtS: 0, isCoolingDown: false },
      });
      const shown = await line.good(["proposal", "draft", "--region", REGION_ID]);
      expect(shown).toMatch(/takeRateBps .*100 .*50 to 150 .*0 to 2000/);
    });

    test("behavior: a draft is kept, submitted, voted on, queued and executed; the value is another one", {
      timeout: 120_000,
    }, async () => {
      const kept = await line.good(
        draft("--region", REGION_ID, "--description", "# Lower\nfor neighbours", "--set", "takeRateBps=80"),
        as(ANN_KEY),
      );
      expect(kept).toMatch(/takeRateBps: 100 -> 80/);
      expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
        description: "# Lower\nfor neighbours",
        calls: [{ call: "changeValues", region: REGION_ID, values: { takeRateBps: 80 } }],
      });
      expect(await count()).toBe(0);
      const { proposal } = await json<{ proposal: string }>(["proposal", "submit", file], as(ANN_KEY));
      expect(await newest()).toMatchObject({ id: proposal, state: "pending", title: "Lower" });
      const id = proposal.slice(0, 12);
      // Too early, and twice: the governor's own words.
      await line.bad([
        [["proposal", "vote", id, "for"], /GovernorUnexpectedProposalState/, as(ANN_KEY)],
        [["proposal", "cancel", id], /GovernorUnableToCancel/, as(BEN_KEY)],
        [["proposal", "submit", file], /GovernorUnexpectedProposalState/, as(ANN_KEY)],
      ]);
      await world.pass(VOTE.votingDelaySeconds + 1);
      expect(await line.good(["proposal", "vote", id, "for", "--reason", "fair"], as(ANN_KEY))).toMatch(
        /voted for with 60000 votes/,
      );
      await line.bad([
        [["proposal", "vote", id, "for"], /GovernorAlreadyCastVote/, as(ANN_KEY)],
        [["proposal", "queue", id], /GovernorUnexpectedProposalState/, as(ANN_KEY)],
      ]);
      await line.good(["proposal", "vote", id, "against"], as(BEN_KEY));
      await world.pass(VOTE.votingPeriodSeconds + 1);
      await line.good(["proposal", "queue", id], as(CAROL_KEY));
      await line.bad([[["proposal", "execute", id], /TimelockUnexpectedOperationState/, as(CAROL_KEY)]]);
      const shown = await line.good(["proposal", "show", id]);
      expect(shown).toMatch(/state .*queued/);
      expect(shown).toMatch(/quorum at its snapshot .*40000, reached/);
      expect(shown).toMatch(/fair/);
      await world.pass(VOTE.timelockDelaySeconds);
      await line.good(["proposal", "execute", id], as(CAROL_KEY));
      expect(await newest()).toMatchObject({ state: "executed", executedBy: "governor" });
      const form = await json<ParametersAnswer>(["proposal", "draft", "--region", REGION_ID]);
      expect(form.values.find(({ name }) => name === "takeRateBps")?.current).toBe("80");
      await line.bad([
        [
          draft("--region", REGION_ID, "--description", "again", "--set", "takeRateBps=90"),
          /parameter_cooling_down .*"untilS"/,
          as(ANN_KEY),
        ],
      ]);
    });

    test("behavior: the treasury pays what was voted, and shows it; a proposal can be taken back", {
      timeout: 120_000,
    }, async () => {
      const { quote, timelock } = world.deployment;
      await world.chain.send({ address: quote, abi: testQuoteAbi }, "mint", [timelock, 5_000_000n]);
      await world.chain.client.mine({ blocks: 1 });
      expect((await json<GovernanceAnswer>(["treasury"])).treasury).toMatchObject({
        quoteMicros: "5000000",
        tokens: String(100_000n * TOKEN),
      });
      const to = lower(world.carol);
      const call = JSON.stringify({ call: "payQuote", to, amountMicros: "2000000" });
      await line.good(draft("--description", "Pay Carol", "--call", call), as(ANN_KEY));
      const { proposal } = await json<{ proposal: string }>(["proposal", "submit", file], as(ANN_KEY));
      await line.good(["proposal", "cancel", proposal], as(ANN_KEY));
      expect(await newest()).toMatchObject({ state: "cancelled", cancelledBy: "governor" });
      await line.good(draft("--description", "Pay Carol after all", "--call", call), as(ANN_KEY));
      const again = await json<{ proposal: string }>(["proposal", "submit", file], as(ANN_KEY));
      await world.pass(VOTE.votingDelaySeconds + 1);
      await line.good(["proposal", "cancel", again.proposal], as(GUARDIAN_KEY));
      expect((await line.good(["proposal", "list"])).match(/cancelled/g)).toHaveLength(2);
      expect((await json<GovernanceAnswer>(["treasury"])).treasury.quoteMicros).toBe("5000000");
    });

    test("behavior: a wallet without ether votes by its signature, and the relay sends it", {
      timeout: 120_000,
    }, async () => {
      const call = JSON.stringify({ call: "setQuorum", percent: 21 });
      await line.good(draft("--description", "Quorum", "--call", call), as(ANN_KEY));
      const { proposal } = await json<{ proposal: string }>(["proposal", "submit", file], as(ANN_KEY));
      await world.chain.client.setBalance({ address: world.carol.address, value: 0n });
      const vote = ["proposal", "vote", proposal, "for", "--by-signature"];
      await line.bad([[vote, /vote_not_open.*"state":"pending"/, { POLDER_KEY: CAROL_KEY }]]);
      await world.pass(VOTE.votingDelaySeconds + 1);
      const relayed = await json<{ stage: string; support: string }>([...vote, "--reason", "enough"], {
        POLDER_KEY: CAROL_KEY,
      });
      expect(relayed).toMatchObject({ stage: "sent", support: "for" });
      await expect.poll(async () => (await newest()).votes.for, { timeout: 20_000 }).toBe(String(TOKEN));
      await line.bad([
        [
          ["proposal", "vote", proposal, "against", "--by-signature"],
          /already_voted/,
          { POLDER_KEY: CAROL_KEY },
        ],
      ]);
      await world.chain.client.setBalance({ address: world.carol.address, value: 10n ** 20n });
    });

    test("behavior: votes are given to a delegate and taken back, and the list shows who holds them", async () => {
      await line.good(["delegate", lower(world.ben)], as(CAROL_KEY));
      const shown = await json<{ delegates: { account: string; votes: string }[] }>(["delegates"]);
      expect(shown.delegates[1]).toMatchObject({ account: lower(world.ben), votes: String(40_000n * TOKEN) });
      await line.good(["delegate"], as(CAROL_KEY));
      const back = await json<typeof shown>(["delegates"]);
      expect(back.delegates).toHaveLength(3);
    });

    test("invariant: who reads the chain alone, by a deployment's file, sees what the deployment says", async () => {
      const deployed = join(world.folder, "deployment.json");
      writeFileSync(deployed, JSON.stringify(world.deployment));
      const own = ["--deployment", deployed, "--rpc", world.chain.url];
      for (const command of [["proposal", "list"], ["proposal", "operations"], ["delegates"]]) {
        const [told, seen] = [await json(command), await json([...command, ...own])];
        expect(seen).toEqual(told);
      }
      await line.bad([[["delegates", "--deployment", deployed], /name the chain's RPC/, {}]]);
    });
  },
);
