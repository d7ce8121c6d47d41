import { execFile, spawnSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Argument, Command, Option } from '@commander-js/extra-typings';
import { describe, expect, onTestFinished, test } from 'vitest';
import { namesOnly } from '../../src/commands/command-group.ts';
import { completionsFor } from '../../src/commands/complete.ts';
import { runCli, startCli } from '../support/cli.ts';
import { fakeBackend } from '../support/fake-backend.ts';
import { tempDir } from '../support/temp-dir.ts';

const bin = fileURLToPath(new URL('../../bin/jairouter.js', import.meta.url));

describe('what may stand at the cursor', () => {
  const program = new Command('tool').option('--loud', 'make noise');
  program
    .command('serve')
    .description('run it')
    .option('-c, --config <file>', 'the config')
    .option('--hang [share]', 'hang')
    .addOption(new Option('--format <kind>', 'the kind').choices(['yaml', 'json']));
  program.command('secret', { hidden: true });
  program.command('explain').argument('<model>').argument('[rest...]');
  program.command('replay').argument('<file...>').option('--to <target>');
  program.command('connect').addArgument(new Argument('<tool>').choices(['codex', 'curl']));
  const instances = program.command('instances').description('about instances');
  instances.command('drain').argument('<instance>');
  instances.command('add').option('--adapter <kind>', 'the kind');
  const list = instances.command('list', { isDefault: true }).option('--json', 'as JSON');
  namesOnly(instances, list);
  program.command('diff').argument('[from]').argument('[to]');

  const at = (line: string): Promise<string[]> =>
    completionsFor(program, line.split(' '), {
      models: async () => ['qwen3:8b', 'llama3'],
      instances: async () => ['gpu-1'],
      adapters: async () => ['vllm', 'ollama'],
      versions: async () => ['12', '11'],
    });

  test.each([
    [
      '',
      [
        'serve\trun it',
        'explain',
        'replay',
        'connect',
        'instances\tabout instances',
        'diff',
        'help\tdisplay help for command',
      ],
    ],
    ['se', ['serve\trun it']],
    ['--', ['--loud\tmake noise', '--help\tdisplay help for command']],
    ['serve --f', ['--format\tthe kind']],
    ['serve --format ', ['yaml', 'json']],
    ['serve --format=j', ['--format=json']],
    ['serve --format yaml ', []],
    ['serve -c ', [':files']],
    ['replay a.json ', [':files']],
    ['replay a.json --to ', ['gpu-1', 'qwen3:8b', 'llama3']],
    ['serve --config=x', [':files']],
    [
      'serve --hang --',
      [
        '--config\tthe config',
        '--hang\thang',
        '--format\tthe kind',
        '--help\tdisplay help for command',
      ],
    ],
    ['explain ', ['qwen3:8b', 'llama3']],
    ['explain qwen3:', ['qwen3:8b']],
    ['explain a b ', []],
    ['connect cu', ['curl']],
    ['connect curl ', []],
    ['instances drain ', ['gpu-1']],
    ['instances add --adapter v', ['vllm']],
    ['instances --', ['--help\tdisplay help for command', '--json\tas JSON']],
    ['diff 11 1', ['12', '11']],
    ['nonsense ', []],
  ])('after %j', async (line, expected) => {
    expect(await at(line)).toEqual(expected);
  });
});

/** A folder in which `jairouter` is a command, and a server runs. */
async function withServer(): Promise<{ cwd: string; env: Record<string, string> }> {
  const { url } = await fakeBackend(undefined, { models: ['qwen3:8b', 'qwen3:30b', 'llama3'] });
  const cwd = await tempDir();
  await writeFile(
    join(cwd, 'jairouter.config.json'),
    JSON.stringify({ instances: { a: { adapter: 'openai', baseUrl: url } } }),
  );
  await mkdir(join(cwd, 'bin'));
  await symlink(bin, join(cwd, 'bin', 'jairouter'));
  const cli = startCli(['serve', '-p', '0'], { cwd });
  onTestFinished(async () => void (await cli.stop('SIGKILL')));
  await cli.waitFor(/● a /);
  const path = `${join(cwd, 'bin')}${delimiter}${process.env['PATH']}`;
  return { cwd, env: { HOME: cwd, PATH: path, TERM: 'dumb' } };
}

const hasShell = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;
const run = promisify(execFile);

describe('of our own commands', () => {
  test('models and instances are those of the server that runs', async () => {
    const { cwd } = await withServer();
    const complete = async (...words: string[]): Promise<string> =>
      (await runCli(['__complete', '--', ...words], { cwd })).stdout;
    expect(await complete('explain', 'll')).toBe('llama3\n');
    expect(await complete('tail', '--model', 'll')).toBe('llama3\n');
    expect(await complete('tail', '--instance', '')).toBe('a\n');
    expect(await complete('instances', 'breaker', '')).toBe('a\n');
    expect(await complete('instances', 'breaker', 'a', 're')).toBe('reset\n');
    expect(await complete('instances', 'l')).toMatch(/^list\t/);
    expect(await complete('instances', 'add', 'b', '--adapter', 'vl')).toBe('vllm\n');
    expect(await complete('config', 'rollback', '')).toBe('1\n');
    expect(await complete('config', '--eff')).toMatch(/^--effective\t/);
  });
});

describe('in a shell', () => {
  test.skipIf(!hasShell('bash'))('bash, whose words end at colons', async () => {
    const { cwd, env } = await withServer();
    const complete = async (line: string): Promise<string[]> => {
      // The words as bash itself takes them apart.
      const words = line.split(/(?<=[\s:=])|(?=[:=])/).map((word) => word.trim());
      const last = words.length - 1;
      const { stdout } = await run(
        'bash',
        [
          '-c',
          `source <(jairouter completion bash); COMP_LINE=$1 COMP_POINT=\${#1}
           COMP_WORDS=("\${@:2}"); COMP_CWORD=${last}; _jairouter; printf '%s\\n' "\${COMPREPLY[@]}"`,
          'bash',
          line,
          ...words,
        ],
        { cwd, env },
      );
      return stdout.split('\n').filter(Boolean);
    };
    expect(await complete('jairouter connect cod')).toEqual(['codex']);
    expect(await complete('jairouter connect curl --model qwen3:')).toEqual(['30b', '8b']);
    expect(await complete('jairouter serve --log-format=t')).toEqual(['text']);
    expect(await complete('jairouter serve -c jai')).toEqual(['jairouter.config.json']);
  });

  test.skipIf(!hasShell('zsh'))('zsh', async () => {
    const { cwd, env } = await withServer();
    const script = `
      compdef() { }
      _describe() { print -rl -- \${(P)4} }
      _files() { print files }
      source <(jairouter completion zsh)
      words=(jairouter "$@"); CURRENT=\${#words}; _jairouter; true`;
    const complete = async (...words: string[]): Promise<string[]> => {
      const { stdout } = await run('zsh', ['-fc', script, 'zsh', ...words], { cwd, env });
      return stdout.split('\n').filter(Boolean);
    };
    expect(await complete('connect', 'curl', '--model', 'qw')).toEqual([
      'qwen3\\:30b',
      'qwen3\\:8b',
    ]);
    expect((await complete('moc'))[0]).toMatch(/^mock:run a backend/);
    expect(await complete('import', '')).toEqual(['files']);
  });

  test.skipIf(!hasShell('fish'))('fish', async () => {
    const { cwd, env } = await withServer();
    const complete = async (line: string): Promise<string[]> => {
      const { stdout } = await run(
        'fish',
        ['-c', 'jairouter completion fish | source; complete -C $argv[1]', line],
        { cwd, env },
      );
      return stdout.split('\n').filter(Boolean);
    };
    expect(await complete('jairouter connect curl --model qw')).toEqual(['qwen3:8b', 'qwen3:30b']);
    expect((await complete('jairouter moc'))[0]).toMatch(/^mock\trun a backend/);
    expect(await complete('jairouter import jai')).toContain('jairouter.config.json');
  });

  test('of which there is none to ask, nothing is offered, and nothing said', async () => {
    const args = ['__complete', '--', 'connect', 'curl', '--model', ''];
    expect(await runCli(args, { cwd: await tempDir() })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  test('that is not known is refused', async () => {
    const { code, stderr } = await runCli(['completion', 'tcsh'], { cwd: await tempDir() });
    expect(code).toBe(2);
    expect(stderr).toContain('Allowed choices are bash, zsh, fish.');
  });
});
