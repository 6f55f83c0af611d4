// Owns what somebody may try next while `npm start` runs: addresses, and commands with the keys of one home. It refuses keys of
// anything but a local deployment, where they guard nothing.

import { resolve } from "node:path";
import colours from "picocolors";
import type { HouseholdKeys } from "./neighbourhood.ts";

/** What is shown, and for which of the homes. */
export interface Guided {
  readonly url: string;
  readonly region: string;
  readonly page: string;
  /** The chain's RPC; null on test money. */
  readonly chainUrl: string | null;
  readonly home: HouseholdKeys;
  /** An app that buys compute. */
  readonly app: HouseholdKeys;
  readonly folder: string;
}

/** The lines below the board. */
export function guide({ url, region, page, chainUrl, home, app, folder }: Guided): string[] {
  const command = (text: string): string => `  ${colours.cyan(text)}`;
  const shownFolder = folder === resolve(".polder") ? ".polder" : folder;
  return [
    `${colours.bold("page")}  ${page}`,
    `${colours.bold("API")}   ${url}/docs`,
    ...(chainUrl === null ? [] : [`${colours.bold("chain")} ${chainUrl}`]),
    `${colours.bold("try")}   (keys of all homes: ${shownFolder}/households.json)`,
    command(`npm run polder -- bill ${home.account} --url ${url}`),
    command(`npm run polder -- audit --url ${url} --receipts ${shownFolder}/agents`),
    command(
      `curl -X POST ${url}/v1/regions/${region}/orders -H 'authorization: Bearer ${home.apiKey}' -d '{"side":"sell","steps":[{"limitPriceMicrosPerKwh":120000,"capWhPerSlot":500}]}'`,
    ),
    command(
      `npm run examples && POLDER_API_KEY=${app.apiKey} npm run polder -- job run docs/examples/jobs/base64.wasm --most 0.001 --input LICENSE --url ${url}`,
    ),
    ...(chainUrl === null ? [] : moneyGuide(url, chainUrl, home, region).map(command)),
    "Ctrl-C stops everything.",
  ];
}

/** Money in and out, and a vote, for one of the homes: each of them is a member. */
function moneyGuide(url: string, chainUrl: string, { walletKey }: HouseholdKeys, region: string): string[] {
  return [
    `export POLDER_URL=${url} POLDER_RPC=${chainUrl} POLDER_KEY=${walletKey}`,
    "npm run polder -- funds",
    "npm run polder -- deposit --amount 50EUR",
    "npm run polder -- withdraw --amount 25EUR",
    "npm run polder -- claim",
    `npm run polder -- proposal draft --region ${region}`,
    "npm run polder -- proposal list",
  ];
}
