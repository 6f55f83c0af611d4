// Owns the one command line, noun by noun: region, account, order, bill, key, agent, meter, certificate, module, audit,
// proposal; and the
// verbs of money on a chain and of votes. It refuses nothing itself; refusals of the market are printed with their code and end
// with status 1, but where a command has statuses of its own.

import { Command } from "commander";
import { ZodError } from "zod";
import { JobFailed } from "../sdk/jobs.ts";
import { PolderProblem, TransportFault } from "../sdk/problem.ts";
import { agentCommands } from "./agent-commands.ts";
import { auditCommand } from "./audit-command.ts";
import { certificateCommands } from "./certificate-commands.ts";
import { deployCommand } from "./deploy-command.ts";
import { enrolmentCommands } from "./enrolment-commands.ts";
import { jobCommands } from "./job-commands.ts";
import { keyCommands } from "./key-commands.ts";
import { meterCommands } from "./meter-commands.ts";
import { moduleCommands } from "./module-commands.ts";
import { moneyCommands } from "./money-commands.ts";
import { nextStep } from "./next-steps.ts";
import { operatorCommands } from "./operator-commands.ts";
import { orderCommands } from "./order-commands.ts";
import { providerCommands } from "./provider-commands.ts";
import { readCommands } from "./read-commands.ts";
import { draftCommands } from "./votes/draft-commands.ts";
import { holderCommands } from "./votes/holder-commands.ts";
import { proposalCommands } from "./votes/proposal-commands.ts";
import { windowCommand } from "./window-command.ts";

const program = new Command("polder")
  .description("a regional market at the edge: households sell solar kWh, machines sell compute")
  .showHelpAfterError("(--help says what there is)");
readCommands(program);
moduleCommands(program);
jobCommands(program);
orderCommands(program);
keyCommands(program);
agentCommands(program);
providerCommands(program);
windowCommand(program);
auditCommand(program);
operatorCommands(program);
certificateCommands(program);
enrolmentCommands(program);
meterCommands(program);
moneyCommands(program);
deployCommand(program);
draftCommands(proposalCommands(program));
holderCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(explain(error));
  // A command with statuses of its own has set it.
  process.exitCode ??= 1;
}

function explain(error: unknown): string {
  if (error instanceof PolderProblem) return withStep(error.message, error);
  if (error instanceof JobFailed && error.job.problem !== null)
    return withStep(error.message, error.job.problem);
  // The network's own fault stands behind it.
  if (error instanceof TransportFault && error.cause !== undefined)
    return `${error.message}\nnpm start runs a deployment on this machine; --url or POLDER_URL names another`;
  if (error instanceof ZodError) {
    return error.issues.map(({ path, message }) => `${path.join(".") || "value"}: ${message}`).join("\n");
  }
  return error instanceof Error ? error.message : String(error);
}

function withStep(message: string, problem: Parameters<typeof nextStep>[0]): string {
  const step = nextStep(problem);
  return step === null ? message : `${message}\n${step}`;
}
