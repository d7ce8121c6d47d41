import { Argument, Command, CommanderError, Option } from '@commander-js/extra-typings';
import { host, milliseconds, names, port, rate, share } from './commands/arguments.ts';
import { examples } from './commands/examples.ts';
import { declareManagement } from './commands/manage.ts';
import { UserError } from './commands/user-error.ts';
import { TOOL_NAMES } from './connect/tool-names.ts';
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
        'serve -c team.yaml --log-format json',
        'serve --cert localhost.pem --key localhost-key.pem',
      ),
    )
    .action(async (options) => {
      const { serve } = await import('./commands/serve.ts');
      await serve(options);
    });

  program
    .command('init')
    .description('write a config of the backends and API keys that are found')
    .option('-y, --yes', 'ask nothing: include all that is found')
    .addOption(
      new Option('--format <format>', 'the kind of file')
        .choices(['yaml', 'json', 'ts'] as const)
        .default('yaml' as const),
    )
    .option('--from <file>', 'make it of a JAiRouter or LiteLLM config, as `import` does')
    .option('--force', 'write over a config that is there already')
    .addHelpText(
      'after',
      examples('init', 'init --yes', 'init --format ts --force', 'init --from litellm/config.yaml'),
    )
    .action(async ({ from, ...options }) => {
      if (from !== undefined) {
        const { importFile } = await import('./commands/import.ts');
        return importFile(from, { format: options.format, force: options.force });
      }
      const { init } = await import('./commands/init.ts');
      return init(options);
    });

  program
    .command('import')
    .description('make a config of another gateway’s: JAiRouter’s YAML or LiteLLM’s config.yaml')
    .argument('<file>', 'the config to read; -: standard input')
    .addOption(
      new Option('--format <format>', 'the kind of file (default: yaml)').choices([
        'yaml',
        'json',
        'ts',
      ] as const),
    )
    .option('-o, --output <file>', 'where to write it (default: jairouter.config.*); -: to stdout')
    .option('--force', 'write over a file that is there already')
    .option('--json', 'say what was carried over as JSON')
    .addHelpText(
      'after',
      examples(
        'import application.yml',
        'import litellm/config.yaml -o jairouter.config.ts',
        'import config.yaml -o - > team.yaml',
      ),
    )
    .action(async (file, options) => {
      const { importFile } = await import('./commands/import.ts');
      await importFile(file, options);
    });

  program
    .command('check')
    .description('say whether the config is valid, and its instances are there with their models')
    .option('-c, --config <file>', 'the config (default: jairouter.config.* from here upward)')
    .option('--json', 'say it as JSON')
    .addHelpText(
      'after',
      `${examples('check', 'check -c team.yaml', 'check --json')}

It ends with 0 when all is well, with 1 when something is not, and with 2 when the config is invalid.`,
    )
    .action(async (options) => {
      const { check } = await import('./commands/check.ts');
      await check(options);
    });

  program
    .command('mock')
    .description('run a backend for rehearsals: all services, no models behind them')
    .option('-p, --port <number>', 'listen on this port; 0: any free one', port, 4748)
    .option('--models <names>', 'names to serve, with commas between; they tell the kind', names)
    .option('--ttft <duration>', 'time to the first token, like 300ms', milliseconds)
    .option('--tps <number>', 'tokens per second after it (default: all at once)', rate)
    .option('--fail <share>', 'answer this share of calls with a 500, from 0 to 1', share)
    .option('--hang [share]', 'never answer this share of calls (without a number: all)', share)
    .option('--script <file>', 'what the chat models say, turn by turn (YAML or JSON)')
    .addHelpText(
      'after',
      `${examples(
        'mock',
        'mock --ttft 300ms --tps 40',
        'mock --port 8000 --models qwen3-32b,bge-m3,whisper-large',
        'mock --fail 0.2 --hang 0.05',
        'mock --script task.yaml',
      )}

A script is a list of the model’s turns in a conversation; docs/mock.md has all of it:
  - text: I will write it.
    tools: [{ name: write_file, arguments: { path: hello.txt, content: Hello } }]
  - error: { status: 529, message: Overloaded }
  - { reasoning: It is there now., text: Done., usage: { prompt: 900, completion: 5 } }`,
    )
    .action(async (options) => {
      const { mock } = await import('./commands/mock.ts');
      await mock(options);
    });

  declareManagement(program);

  program
    .command('connect')
    .description('tell what a program must be set to, to use the server; or set it')
    .addArgument(
      new Argument('[tool]', 'the program; without it, those that are known are listed').choices(
        TOOL_NAMES,
      ),
    )
    .option('--model <model>', 'the model to use (default: what suits an agent best)')
    .option('--small-model <model>', 'the model for side work (default: the same)')
    .option('--write', 'set it in the program’s own config, and keep what was there')
    .option('--undo', 'bring back what was there before --write')
    .option('--force', 'with --undo: also when it was changed since')
    .option('--url <address>', 'the server (default: the one that runs)')
    .option('--key <key>', 'a key of server.apiKeys, or the name of one')
    .option('--json', 'say it as JSON')
    .addHelpText(
      'after',
      examples(
        'connect',
        'connect claude-code',
        'connect codex --write --model qwen3-coder:30b',
        'connect codex --undo',
        'connect curl --url http://10.0.0.5:4747 --key sk-team',
      ),
    )
    .action(async (tool, options) => {
      const { connect } = await import('./commands/connect.ts');
      await connect(tool, options);
    });

  program
    .command('completion')
    .description('print what a shell runs to complete this command line')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish'] as const))
    .addHelpText(
      'after',
      `
Examples:
  source <(jairouter completion bash)     in ~/.bashrc
  source <(jairouter completion zsh)      in ~/.zshrc, after compinit
  jairouter completion fish > ~/.config/fish/completions/jairouter.fish`,
    )
    .action(async (shell) => {
      const { completion } = await import('./commands/completion.ts');
      completion(shell);
    });

  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(async (words) => {
      const { complete } = await import('./commands/complete.ts');
      await complete(program, words);
    });

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
