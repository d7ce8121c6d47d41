import { Option, type Command } from '@commander-js/extra-typings';
import { SERVICES } from '../service.ts';
import { examples } from './examples.ts';

/** Declares the commands that speak with a running server. */
export function declareManagement(program: Command): void {
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

/** The options by which a server is found. */
function withServer<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
) {
  return command
    .option(
      '--url <address>',
      'the server (default: the one that runs, or that of the config here)',
    )
    .option(
      '--token <token>',
      'its admin token (default: what the server has left in its state file)',
    );
}
