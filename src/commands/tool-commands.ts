import { Argument, type Command } from '@commander-js/extra-typings';
import { TOOL_NAMES } from '../connect/tool-names.ts';
import { milliseconds, names, port, rate, share } from './arguments.ts';
import { examples } from './examples.ts';

/** Declares the commands that help with the programs around the server: mock, clients, shells. */
export function declareTools(program: Command): void {
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
      const { mock } = await import('./mock.ts');
      await mock(options);
    });

  program
    .command('replay')
    .description('make recorded calls again, and compare the answers')
    .argument('<file...>', 'recordings: files, folders or patterns')
    .option('--to <target>', 'an instance, INSTANCE/MODEL or a model (default: as it is routed)')
    .option('--diff', 'show where texts differ, word by word')
    .option('--strict', 'fail also when a text or a call of tools differs')
    .option('--url <address>', 'the server (default: the one that runs)')
    .option('--key <key>', 'a key of server.apiKeys, or the name of one')
    .option('--json', 'say it as JSON')
    .addHelpText(
      'after',
      `${examples(
        'replay recordings --to gpu-1',
        'replay recordings/*-chat-*.json --to ollama/qwen3:8b --diff',
        'replay one.json --json',
      )}

It ends with 0 when every call is answered with the status that it had. Texts of models vary, and so
another text is told, but no failure, unless --strict says so; times and tokens never are one.`,
    )
    .action(async (files, options) => {
      const { replay } = await import('./replay.ts');
      await replay(files, options);
    });

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
      const { connect } = await import('./connect.ts');
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
      const { completion } = await import('./completion.ts');
      completion(shell);
    });

  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(async (words) => {
      const { complete } = await import('./complete.ts');
      await complete(program, words);
    });
}
