import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runCli, type CliResult } from '../support/cli.ts';
import { tempDir } from '../support/temp-dir.ts';

async function run(...args: string[]): Promise<CliResult> {
  return runCli(args, { cwd: await tempDir() });
}

describe('jairouter', () => {
  test('alone says what it is and leads on', async () => {
    const { code, stdout, stderr } = await run();
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain('jairouter serve');
    expect(stdout).toContain('jairouter init');
  });

  test('tells its version', async () => {
    const file = new URL('../../package.json', import.meta.url);
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    expect(await run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test.each([['help'], ['help', 'serve'], ['serve', '-h']])(
    'explains itself: %s',
    async (...args) => {
      const { code, stdout } = await run(...args);
      expect(code).toBe(0);
      expect(stdout).toContain('Usage: jairouter');
    },
  );

  test.each([
    'serve',
    'init',
    'import',
    'check',
    'mock',
    'connect',
    'explain',
    'status',
    'tail',
    'instances',
    'config',
    'models',
    'completion',
  ])('explains %s, with examples', async (command) => {
    const { code, stdout } = await run(command, '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples:\n  .*jairouter ${command}\\b`));
  });

  test.each([
    [['serv'], "jairouter: unknown command 'serv' (Did you mean serve?)"],
    [['run'], "jairouter: unknown command 'run' (--help lists what there is)"],
    [['instances', 'drian', 'a'], "unknown command 'instances drian' (Did you mean drain?)"],
    [['config', 'undo'], "unknown command 'config undo' (--help lists what there is)"],
    [['instances', '--jsn'], "unknown option '--jsn' (Did you mean --json?)"],
    [['serve', '--colour'], "unknown option '--colour' (--help lists what there is)"],
    [['serve', '--host', 'http://x'], 'It must be an IP address or a host name'],
    [['serve', '--host', ''], 'It must be an IP address or a host name'],
    [['mock', '--prot', '1'], "jairouter: unknown option '--prot' (Did you mean --port?)"],
    [['serve', 'now'], "jairouter: too many arguments for 'serve'."],
    [['serve', '--port', '70000'], 'It must be a port from 0 to 65535.'],
    [['serve', '--port'], "jairouter: option '-p, --port <number>' argument missing"],
    [['serve', '--log-format', 'xml'], 'Allowed choices are text, json.'],
    [['mock', '--ttft', 'soon'], 'It must be a duration like 300ms or 2s.'],
    [['mock', '--tps', '0'], 'It must be a number above 0.'],
    [['mock', '--fail', '1.1'], 'It must be a number from 0 to 1.'],
    [['mock', '--models', 'a,,b'], 'It must be names with commas between them'],
    [['mock', '--fail', '0.6', '--hang', '0.6'], 'jairouter: --fail and --hang are shares'],
  ])('refuses %j in one line', async (args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^jairouter: /);
  });

  test('shows an invalid config by its place, without a stack', async () => {
    const cwd = await tempDir();
    await writeFile(join(cwd, 'jairouter.config.yaml'), 'server:\n  prot: 1\n');
    const { code, stderr } = await runCli(['serve'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^jairouter\.config\.yaml:2:3: .*prot/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('names the place where the package.json here is broken', async () => {
    const cwd = await tempDir();
    await writeFile(join(cwd, 'package.json'), '{\n  "name": "x"\n  "type": "module"\n}\n');
    const { code, stderr } = await runCli(['serve'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^package\.json:3:3: Expected ',' or '}' after property value\n$/);
  });

  test('is quiet when nobody reads on', async () => {
    const bin = fileURLToPath(new URL('../../bin/jairouter.js', import.meta.url));
    const child = spawn(process.execPath, [bin, 'serve', '--help'], { stdio: 'pipe' });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await once(child, 'close');
    expect(stderr).toBe('');
  });

  test('colours a terminal only, unless it is told otherwise', async () => {
    const cwd = await tempDir();
    const init = (env: Record<string, string>): Promise<CliResult> =>
      runCli(['init', '--yes', '--force'], { cwd, env: { OPENAI_API_KEY: 'sk', ...env } });
    expect((await init({ NO_COLOR: '' })).stdout).not.toContain('\u001B[');
    expect((await init({ NO_COLOR: '', FORCE_COLOR: '1' })).stdout).toContain('\u001B[');
    expect((await init({ NO_COLOR: '1', FORCE_COLOR: '1' })).stdout).not.toContain('\u001B[');
  });
});
