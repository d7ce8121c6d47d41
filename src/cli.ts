import { Command, CommanderError, Option } from '@commander-js/extra-typings';
import { host, port, speed } from './commands/arguments.ts';
import { declareConfigs } from './commands/config-commands.ts';
import { declareTools } from './commands/tool-commands.ts';
import { examples } from './commands/examples.ts';
import { declareManagement } from './commands/manage.ts';
import { UserError } from './commands/user-error.ts';
import { VERSION } from './version.ts';

/**
 * Runs the command line to its end, or until a server is up. Ends the process itself when
 * something failed: a half-started server must not keep it alive.
 *
 * @param argv `process.argv`.
 */
export async function main(argv: string[]): Promise<void> {
  // Whoever read us has heard enough (`jairouter … | head`): that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    // Nor is a terminal that has been closed.
    if (error.code === 'EIO') process.exit(129);
    throw error;
  });
  const code = await run(argv);
  // Only an empty write knows that what was written before has arrived.
  if (code !== 0) process.stderr.write('', () => process.exit(code));
}

/** @returns The exit code: 0, 1 failure, 2 usage or invalid config, 3 no server found. */
async function run(argv: string[]): Promise<number> {
  const program = declare();
  try {
    if (argv.length > 2) await program.parseAsync(argv);
    else await (await import('./commands/overview.ts')).overview();
    return 0;
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): number {
  // commander has said it already; help and version come this way too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UserError) {
    process.stderr.write(`jairouter: ${error.message}\n`);
    return error.exitCode;
  }
  // By its name: its module would cost every command the time of loading a config.
  if (error instanceof Error && error.name === 'ConfigError') {
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  const detail = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`jairouter: this is a bug, please report it:\n${detail}\n`);
  return 1;
}

/** Declares the commands; the code of one is imported when it runs. */
function declare(): Command {
  const program = new Command('jairouter')
    .description('One local OpenAI-compatible endpoint for every model you can reach.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand('help [command]', 'explain a command')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .addHelpText(
      'after',
      `
Start here:
  jairouter serve    works without any config: finds what runs here, or serves mock models
  jairouter init     writes a config of what it finds

Then point your tools at http://127.0.0.1:4747/v1`,
    );

  program
    .command('serve')
    .description('run the proxy')
    .option('-c, --config <file>', 'the config (default: jairouter.config.* from here upward)')
    .option('-p, --port <number>', 'listen on this port, whatever the config says', port)
    .option('--host <address>', 'listen on this address, whatever the config says', host)
    .option('--insecure', 'allow another address than this machine’s own without API keys')
    .option('--open', 'show its page in the browser')
    .option('--https', 'serve HTTPS, with a self-signed certificate unless --cert names another')
    .option('--cert <file>', 'a certificate in PEM form, for HTTPS')
    .option('--key <file>', 'its key in PEM form')
    .option(
      '--record <dir>',
      'write each call and its answer into this folder, to look at or replay',
    )
    .addOption(
      new Option(
        '--replay <dir>',
        'answer from such a folder, without config and backends',
      ).conflicts(['record', 'config']),
    )
    .option('--speed <factor>', 'with --replay: so many times as fast as it was, or max', speed)
    .option('--dashboard', 'show the dashboard in this terminal; the log goes into a file')
    .addOption(
      new Option('--log-format <format>', 'how a call is logged: for people or machines').choices([
        'text',
        'json',
      ] as const),
    )
    .addHelpText(
      'after',
      examples(
        'serve',
        'serve -p 8080 --open',
        'serve --dashboard',
        'serve -c team.yaml --log-format json',
        'serve --record recordings',
        'serve --replay recordings --speed max',
        'serve --cert localhost.pem --key localhost-key.pem',
      ),
    )
    .action(async (options) => {
      const { serve } = await import('./commands/serve.ts');
      await serve(options);
    });

  declareConfigs(program);
  declareManagement(program);
  declareTools(program);
  return program;
}

/** `error: unknown command 'serv'⏎(Did you mean serve?)` → `jairouter: unknown command 'serv' (…)` */
function oneLine(text: string): string {
  const line = text
    .trim()
    .replace(/^error:/, 'jairouter:')
    .replaceAll(/\s*\n\s*/g, ' ');
  const leadsOn = !line.includes('unknown') || line.includes('Did you mean');
  return leadsOn ? `${line}\n` : `${line} (--help lists what there is)\n`;
}
