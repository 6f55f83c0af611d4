// Owns the command that deploys the contracts. It refuses a file with unknown fields, and to deploy anything that must not be
// where real money is.

import type { Command } from "commander";
import { deploy } from "../../governance/deploy/deploy.ts";
import { deployFileSchema } from "../../governance/deploy/deploy-file.ts";
import { openChain, walletOn } from "../chain/chain-connection.ts";
import { DEPLOYMENTS, deploymentFiles } from "../chain/deployment-files.ts";
import { CHAIN_KEYS, type ChainPlace, rpcOf, walletOf, withRpc, withWallet } from "./chain-context.ts";
import { readJson } from "./document-files.ts";

interface DeployOptions extends ChainPlace {
  readonly deployments: string;
}

/** Adds `deploy`. */
export function deployCommand(program: Command): void {
  withWallet(withRpc(program.command("deploy")))
    .description(
      "deploy the contracts and open their regions, or what of it is missing; twice changes nothing",
    )
    .argument("<file>", "chain, guardian, quote asset, vote and regions as JSON")
    .option("--deployments <folder>", "where deployments are kept", DEPLOYMENTS)
    .addHelpText("after", CHAIN_KEYS)
    .action(run);
}

async function run(file: string, options: DeployOptions): Promise<void> {
  const plan = deployFileSchema.parse(readJson(file));
  const signer = await walletOf(options);
  const connection = await openChain(rpcOf(options), plan.chainId);
  const deployment = await deploy(plan, {
    client: connection.client,
    wallet: walletOn(connection, signer),
    store: deploymentFiles(options.deployments),
    report: (message) => options.json || console.log(message),
  });
  if (options.json) return console.log(JSON.stringify(deployment));
  const { settlement, deployedAtBlock, timelock, governor, guardian, chainId } = deployment;
  console.log(
    `chain ${chainId}: Settlement at ${settlement} since block ${deployedAtBlock}, guarded by ${guardian}; decided by votes at ${governor} through the timelock ${timelock}`,
  );
}
