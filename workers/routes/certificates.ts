// Owns the path to a closed epoch's certificate tree. It refuses to answer about one leaf: who asked for it would have said
// which account is theirs.

import { z } from "zod";
import { certificateTree, type PublishedTree } from "../../evidence/certificate-tree.ts";
import { RecentMap } from "../../evidence/recent-map.ts";
import { certificatesAnswer } from "../../protocol/answers.ts";
import { bounded, regionId } from "../../protocol/fields.ts";
import { numeral } from "../parts.ts";
import { Refusal } from "../problems.ts";
import { regionOf } from "../region-access.ts";
import { type Application, route } from "../router.ts";

/** A thousand leaves take half a second to hash and 70 kB to keep; a closed epoch never changes. */
const TREES_KEPT = 16;
const trees = new RecentMap<PublishedTree>(TREES_KEPT);

const epochParams = z.strictObject({ region: regionId, epoch: numeral(bounded(0, Number.MAX_SAFE_INTEGER)) });

/** Registers the path. */
export function certificateRoutes(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/epochs/:epoch/certificates",
      tag: "certificates",
      summary: "The certificate tree of a closed epoch: its root and all leaves",
      description:
        "All of them, so that nobody says which is theirs by asking. A leaf is Poseidon(commitment, sold Wh, bought Wh) of one account; their order is that of `certificates` in the epoch.",
      params: epochParams,
      answers: certificatesAnswer,
    },
    async ({ context, env, params: { region, epoch } }) => {
      const object = await regionOf(env, region);
      const name = `${region}/${epoch}`;
      let tree = trees.get(name);
      if (tree === undefined) {
        const certificates = await object.certificates(epoch);
        if (certificates === null) throw new Refusal("epoch_not_found", { epoch });
        tree = certificateTree(certificates);
        trees.set(name, tree);
      }
      context.header("cache-control", "public, max-age=86400, immutable");
      return context.json({ epoch, ...tree });
    },
  );
}
