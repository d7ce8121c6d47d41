import { Option, type Command } from '@commander-js/extra-typings';
import { SERVICES } from '../service.ts';
import { lines } from './arguments.ts';
import { declareConfig } from './live-config-commands.ts';
import { declareInstances } from './instance-commands.ts';
import { examples } from './examples.ts';
import { withServer } from './server-options.ts';

/** Declares the commands that speak with a running server. */
export function declareManagement(program: Command): void {
  withServer(
    program
      .command('status')
      .description('show the running server live: instances, calls, events; keys for orders')
      .option('--once', 'print it once, also on a terminal')
      .option('--watch', 'print it each second, until stopped')
      .option('--json', 'print the server’s answer as it is; with --watch, one line each'),
  )
    .addHelpText(
      'after',
      examples('status', 'status --once', 'status --watch --json | jq .inFlight'),
    )
    .action(async (options) => {
      const { status } = await import('./status.ts');
      await status(options);
    });

  withServer(
    program
      .command('models')
      .description('list the names that a call could ask for, and who has them')
      .option('--json', 'print the server’s answer as it is'),
  )
    .addHelpText('after', examples('models', "models --json | jq -r '.[].model'"))
    .action(async (options) => {
      const { models } = await import('./models.ts');
      await models(options);
    });

  withServer(
    program
      .command('tail')
      .description('follow the calls as they end')
      .option('--errors', 'only those that failed or broke off')
      .option('--model <model>', 'only those for this model, as clients ask for it')
      .option('--instance <instance>', 'only those that went to this instance')
      .option('-n, --lines <number>', 'show this many of the last ones first', lines, 10)
      .option('--json', 'one JSON object a line'),
  )
    .addHelpText(
      'after',
      examples('tail', 'tail --errors -n 50', 'tail --model coder --instance gpu-1 --json'),
    )
    .action(async (options) => {
      const { tail } = await import('./tail.ts');
      await tail(options);
    });

  declareInstances(program);
  declareConfig(program);
  withServer(
    program
      .command('explain')
      .description('tell where a call for a model would go, and why; calls nobody')
      .argument(
        '[model]',
        'as a client would send it (default: that of the request, or of the service)',
      )
      .addOption(
        new Option(
          '--service <service>',
          'what it is for (default: what the model is for)',
        ).choices(SERVICES),
      )
      .option('--ip <address>', 'the client’s address (default: 127.0.0.1)')
      .option('--key <name>', 'the name of the API key that the client would show')
      .option('--request <file>', 'a request’s JSON body; - reads it from the standard input')
      .option('-v, --verbose', 'each candidate with the verdict on every count')
      .option('--json', 'print the server’s answer as it is'),
  )
    .addHelpText(
      'after',
      examples(
        'explain coder',
        'explain bge-m3 --service embeddings --verbose',
        'explain --request call.json --ip 10.0.0.7 --json',
      ),
    )
    .action(async (model, options) => {
      const { explain } = await import('./explain.ts');
      await explain(model, options);
    });
}
