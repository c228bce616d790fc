import { runCommand } from './cli/run-commands';

void runCommand(process.argv.slice(2));
