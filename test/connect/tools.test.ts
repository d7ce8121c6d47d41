import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { editConfig, readConfig } from '../../src/connect/edit.ts';
import { TOOL_NAMES, type ToolName } from '../../src/connect/tool-names.ts';
import type { Endpoint, Surroundings, Tool } from '../../src/connect/tool.ts';
import { TOOLS } from '../../src/connect/tools.ts';

const MODEL = { id: 'qwen3-coder:30b', contextLength: 65_536 };
const ENDPOINT: Endpoint = {
  url: 'http://127.0.0.1:4747',
  key: undefined,
  model: MODEL,
  smallModel: { id: 'qwen3:4b' },
  models: [MODEL, { id: 'qwen3:4b' }],
};

function around(more: Partial<Surroundings> = {}): Surroundings {
  return { home: '/home/me', env: {}, platform: 'linux', exists: () => false, ...more };
}

/** What a tool's config says after it was connected. */
function configured(name: ToolName, before: string, endpoint = ENDPOINT): Record<string, unknown> {
  const { format, changes } = TOOLS[name].config!;
  return readConfig(
    format,
    editConfig(format, before, changes(endpoint, readConfig(format, before))),
  );
}

const fileOf = (name: ToolName, more?: Partial<Surroundings>): string =>
  TOOLS[name].config!.file(around(more));

test('every name has its tool, and every tool says how to test it', () => {
  expect(Object.keys(TOOLS)).toEqual([...TOOL_NAMES]);
  for (const name of TOOL_NAMES) {
    const tool: Tool = TOOLS[name];
    expect(tool.test(ENDPOINT)).not.toBe('');
    const told = [tool.env?.(ENDPOINT), tool.config, tool.notes?.(ENDPOINT)?.length];
    expect(told.some(Boolean)).toBe(true);
  }
});

test.each(TOOL_NAMES.filter((name) => TOOLS[name].config))(
  '%s is the same after a second time',
  (name) => {
    const { format, changes } = TOOLS[name].config!;
    const once = editConfig(format, '', changes(ENDPOINT, {}));
    const present = readConfig(format, once);
    expect(editConfig(format, once, changes(ENDPOINT, present))).toBe(once);
  },
);

describe('claude-code', () => {
  it('gets its variables through its settings', () => {
    const before = '{ "permissions": { "allow": ["Bash"] }, "env": { "MINE": "1" } }';
    expect(configured('claude-code', before)).toEqual({
      permissions: { allow: ['Bash'] },
      env: {
        MINE: '1',
        ANTHROPIC_BASE_URL: 'http://127.0.0.1:4747',
        ANTHROPIC_AUTH_TOKEN: 'unused',
        ANTHROPIC_MODEL: 'qwen3-coder:30b',
        ANTHROPIC_DEFAULT_OPUS_MODEL: 'qwen3-coder:30b',
        ANTHROPIC_DEFAULT_SONNET_MODEL: 'qwen3-coder:30b',
        ANTHROPIC_DEFAULT_HAIKU_MODEL: 'qwen3:4b',
        CLAUDE_CODE_ATTRIBUTION_HEADER: '0',
        CLAUDE_CODE_AUTO_COMPACT_WINDOW: '65536',
      },
    });
  });

  it('is told of no window where its own belief is right, nor of one from before', () => {
    const before = '{ "env": { "CLAUDE_CODE_AUTO_COMPACT_WINDOW": "9" } }';
    const large = { ...ENDPOINT, model: { id: 'large', contextLength: 262_144 } };
    for (const endpoint of [large, { ...ENDPOINT, model: { id: 'unknown' } }]) {
      const { env } = configured('claude-code', before, endpoint) as { env: object };
      expect(env).not.toHaveProperty('CLAUDE_CODE_AUTO_COMPACT_WINDOW');
    }
  });

  it('may have its folder elsewhere', () => {
    expect(fileOf('claude-code')).toBe(join('/home/me', '.claude', 'settings.json'));
    const env = { CLAUDE_CONFIG_DIR: '/c' };
    expect(fileOf('claude-code', { env })).toBe(join('/c', 'settings.json'));
  });
});

describe('codex', () => {
  it('gets a provider that speaks Responses', () => {
    expect(configured('codex', 'model = "gpt-5" # mine\n\n[tools]\nweb = true\n')).toEqual({
      model: 'qwen3-coder:30b',
      model_provider: 'jairouter',
      model_context_window: 65_536,
      model_providers: {
        jairouter: {
          name: 'jairouter',
          base_url: 'http://127.0.0.1:4747/v1',
          wire_api: 'responses',
        },
      },
      tools: { web: true },
    });
  });

  it('forgets the window of a model that it had before', () => {
    const other = { ...ENDPOINT, model: { id: 'x' } };
    const before = 'model_context_window = 1000\n';
    expect(configured('codex', before, other)).not.toHaveProperty('model_context_window');
  });

  it('reads a key from the environment', () => {
    const locked = { ...ENDPOINT, key: 'sk-mine' };
    expect(configured('codex', '', locked)).toMatchObject({
      model_providers: { jairouter: { env_key: 'JAIROUTER_API_KEY' } },
    });
    expect(TOOLS.codex.notes!(locked).join()).toContain('JAIROUTER_API_KEY');
    expect(fileOf('codex', { env: { CODEX_HOME: '/x' } })).toBe(join('/x', 'config.toml'));
  });
});

describe('opencode', () => {
  it('gets a provider with all models', () => {
    expect(configured('opencode', '{ "theme": "mine", "model": "old/x" }')).toEqual({
      theme: 'mine',
      provider: {
        jairouter: {
          npm: '@ai-sdk/openai-compatible',
          name: 'jairouter',
          options: { baseURL: 'http://127.0.0.1:4747/v1', apiKey: 'unused' },
          models: {
            'qwen3-coder:30b': { limit: { context: 65_536, output: 16_384 } },
            'qwen3:4b': {},
          },
        },
      },
      model: 'jairouter/qwen3-coder:30b',
      small_model: 'jairouter/qwen3:4b',
    });
    expect(configured('opencode', '')).toHaveProperty('$schema');
  });

  it('is written where it is read', () => {
    const folder = join('/home/me', '.config', 'opencode');
    expect(fileOf('opencode')).toBe(join(folder, 'opencode.json'));
    const exists = (file: string): boolean => file.endsWith('.jsonc');
    expect(fileOf('opencode', { exists })).toBe(join(folder, 'opencode.jsonc'));
    const env = { XDG_CONFIG_HOME: '/xdg' };
    expect(fileOf('opencode', { env })).toBe(join('/xdg', 'opencode', 'opencode.json'));
  });
});

test('aider goes through its OpenAI client', () => {
  expect(configured('aider', '# mine\nauto-commits: false\n')).toEqual({
    'auto-commits': false,
    'openai-api-base': 'http://127.0.0.1:4747/v1',
    'openai-api-key': 'unused',
    model: 'openai/qwen3-coder:30b',
    'weak-model': 'openai/qwen3:4b',
  });
});

describe('continue', () => {
  const own = {
    name: 'jairouter',
    provider: 'openai',
    model: 'qwen3-coder:30b',
    apiBase: 'http://127.0.0.1:4747/v1',
    apiKey: 'unused',
    roles: ['chat', 'edit', 'apply'],
    capabilities: ['tool_use'],
  };

  it('gets a model beside the others, and one only', () => {
    const before = 'name: Mine\nversion: 2.0.0\nschema: v1\nmodels:\n  - name: big\n';
    const models = [{ name: 'big' }, own];
    expect(configured('continue', before)).toEqual({
      name: 'Mine',
      version: '2.0.0',
      schema: 'v1',
      models,
    });
    const again = `${before}  - name: jairouter\n    model: old\n  - name: last\n`;
    expect(configured('continue', again)['models']).toEqual([...models, { name: 'last' }]);
    expect(configured('continue', '')).toMatchObject({ schema: 'v1', models: [own] });
  });

  it('is not written where an older config would be hidden by it', () => {
    const { refusal } = TOOLS.continue.config!;
    const old = join('/home/me', '.continue', 'config.json');
    expect(refusal!(around({ exists: (file) => file === old }))).toContain(
      'would no longer be read',
    );
    expect(refusal!(around({ exists: () => true }))).toBeUndefined();
    expect(refusal!(around())).toBeUndefined();
  });
});

describe('zed', () => {
  it('gets a provider, and the model for its agent', () => {
    const before = '// mine\n{ "theme": "One", "agent": { "dock": "left" } }\n';
    expect(configured('zed', before)).toMatchObject({
      theme: 'One',
      agent: { dock: 'left', default_model: { provider: 'jairouter', model: 'qwen3-coder:30b' } },
      language_models: {
        openai_compatible: {
          jairouter: {
            api_url: 'http://127.0.0.1:4747/v1',
            available_models: [
              { name: 'qwen3-coder:30b', max_tokens: 65_536 },
              { name: 'qwen3:4b', max_tokens: 32_768 },
            ],
          },
        },
      },
    });
  });

  it('has its settings elsewhere on each system', () => {
    const env = { XDG_CONFIG_HOME: '/xdg', APPDATA: '/roaming' };
    expect(fileOf('zed', { env })).toBe(join('/xdg', 'zed', 'settings.json'));
    expect(fileOf('zed', { env, platform: 'darwin' })).toBe(
      join('/home/me', '.config', 'zed', 'settings.json'),
    );
    expect(fileOf('zed', { env, platform: 'win32' })).toBe(
      join('/roaming', 'Zed', 'settings.json'),
    );
  });
});

test('open-webui is told how a container calls this machine', () => {
  const notes = TOOLS['open-webui'].notes!(ENDPOINT).join('\n');
  expect(notes).toContain('OPENAI_API_BASE_URL=http://host.docker.internal:4747/v1');
});
