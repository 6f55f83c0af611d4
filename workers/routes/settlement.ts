// Owns the paths to what a region reports to its chain, and to what an account is owed by it. It refuses regions of test
// money, which report nothing.

import { z } from "zod";
import type { Region } from "../../durable-objects/region.ts";
import type { KeptReport } from "../../durable-objects/settlement-records.ts";
import { certificateTree } from "../../evidence/certificate-tree.ts";
import { RecentMap } from "../../evidence/recent-map.ts";
import { claimText, sumsText } from "../../evidence/sum-claim.ts";
import { decodeLeaves, SumTree } from "../../evidence/sum-tree.ts";
import { leafAnswer, reportAnswer } from "../../protocol/answers.ts";
import { address, bounded, type Hex, regionId } from "../../protocol/fields.ts";
import { numeral } from "../parts.ts";
import { Refusal } from "../problems.ts";
import { regionOf } from "../region-access.ts";
import { type Application, route } from "../router.ts";

interface ReportedEpoch {
  readonly report: Omit<KeptReport, "leaves">;
  readonly tree: SumTree;
}

/** A thousand accounts take some ten milliseconds to hash; a closed epoch never changes. */
const TREES_KEPT = 8;
const trees = new RecentMap<ReportedEpoch>(TREES_KEPT);
const certificateRoots = new RecentMap<Hex>(64);

const epochParams = z.strictObject({ region: regionId, epoch: numeral(bounded(0, Number.MAX_SAFE_INTEGER)) });

/** Registers the paths. */
export function settlementRoutes(application: Application): void {
  const tag = "money";
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/epochs/:epoch/report",
      tag,
      summary: "What the region reports of a closed epoch to the chain",
      params: epochParams,
      answers: reportAnswer,
    },
    async ({ context, env, params: { region, epoch } }) => {
      const object = await regionOf(env, region);
      const { report, tree } = await reportedEpoch(object, region, epoch);
      const certificateRoot = await certificateRootOf(object, region, epoch);
      context.header("cache-control", "public, max-age=86400, immutable");
      return context.json({
        ...report,
        certificateRoot,
        sumRoot: tree.root,
        totals: sumsText(tree.totals),
      });
    },
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/epochs/:epoch/leaves/:account",
      tag,
      summary: "What an account is owed at the end of an epoch, with the path that the contract asks for",
      description:
        "Keep the last one that is final on the chain: with it an account can leave without anybody's help.",
      params: epochParams.extend({ account: address }),
      answers: leafAnswer,
    },
    async ({ context, env, params: { region, epoch, account } }) => {
      const object = await regionOf(env, region);
      const { tree } = await reportedEpoch(object, region, epoch);
      const claim = claimText(epoch, tree, account);
      if (claim === null) throw new Refusal("account_not_found", { account, epoch });
      context.header("cache-control", "public, max-age=86400, immutable");
      return context.json(claim);
    },
  );
}

async function reportedEpoch(
  object: DurableObjectStub<Region>,
  region: string,
  epoch: number,
): Promise<ReportedEpoch> {
  const name = `${region}/${epoch}`;
  const known = trees.get(name);
  if (known !== undefined) return known;
  const mirrored = await object.mirrored();
  if (mirrored?.quote === "test") throw new Refusal("quote_not_settlement");
  const found = await object.epochReport(epoch);
  if (found === null) throw new Refusal("epoch_not_found", { epoch });
  const { leaves, ...report } = found;
  const reported = { report, tree: new SumTree(decodeLeaves(leaves)) };
  trees.set(name, reported);
  return reported;
}

async function certificateRootOf(
  object: DurableObjectStub<Region>,
  region: string,
  epoch: number,
): Promise<Hex> {
  const name = `${region}/${epoch}`;
  const known = certificateRoots.get(name);
  if (known !== undefined) return known;
  const certificates = await object.certificates(epoch);
  if (certificates === null) throw new Refusal("epoch_not_found", { epoch });
  const { root } = certificateTree(certificates);
  certificateRoots.set(name, root);
  return root;
}
