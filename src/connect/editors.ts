import { join } from 'node:path';
import { asObjects } from '../adapters/json.ts';
import { KEY_VARIABLE, NO_KEY, openaiUrl, type OfferedModel, type Tool } from './tool.ts';

export const continueDev: Tool = {
  title: 'Continue',
  config: {
    format: 'yaml',
    file: ({ home, env }) => join(continueFolder(home, env), 'config.yaml'),
    // It would no longer be read.
    refusal({ home, env, exists }) {
      const folder = continueFolder(home, env);
      const old = join(folder, 'config.json');
      return exists(old) && !exists(join(folder, 'config.yaml'))
        ? `${old} would no longer be read beside a config.yaml: turn it into one first (Continue can), or add the model by hand`
        : undefined;
    },
    changes(endpoint, present) {
      const list = asObjects(present['models']) ?? [];
      const own = list.findIndex(({ name }) => name === 'jairouter');
      return [
        ...['name', 'version', 'schema'].flatMap((key) =>
          key in present ? [] : [{ path: [key], value: HEAD[key] }],
        ),
        {
          path: ['models', own < 0 ? list.length : own],
          value: {
            name: 'jairouter',
            provider: 'openai',
            model: endpoint.model.id,
            apiBase: openaiUrl(endpoint),
            apiKey: endpoint.key ?? NO_KEY,
            roles: ['chat', 'edit', 'apply'],
            capabilities: ['tool_use'],
          },
        },
      ];
    },
  },
  test: () => 'choose the model `jairouter` in the Continue panel and say hello',
};

/** What its file must have. */
const HEAD: Readonly<Record<string, string>> = {
  name: 'Local config',
  version: '1.0.0',
  schema: 'v1',
};

function continueFolder(home: string, env: Readonly<Record<string, string | undefined>>): string {
  return env['CONTINUE_GLOBAL_DIR'] || join(home, '.continue');
}

export const zed: Tool = {
  title: 'Zed',
  config: {
    format: 'json',
    file({ home, env, platform }) {
      if (platform === 'win32')
        return join(env['APPDATA'] || join(home, 'AppData', 'Roaming'), 'Zed', 'settings.json');
      const folder = platform === 'darwin' ? undefined : env['XDG_CONFIG_HOME'];
      return join(folder || join(home, '.config'), 'zed', 'settings.json');
    },
    changes: (endpoint) => [
      {
        path: ['language_models', 'openai_compatible', 'jairouter'],
        value: { api_url: openaiUrl(endpoint), available_models: endpoint.models.map(zedModel) },
      },
      {
        path: ['agent', 'default_model'],
        value: { provider: 'jairouter', model: endpoint.model.id },
      },
    ],
  },
  notes: ({ key }) => [
    key === undefined
      ? `Zed wants some key: start it with ${KEY_VARIABLE}=${NO_KEY}, or type any into its settings (LLM Providers, jairouter).`
      : `Zed keeps keys elsewhere: start it with ${KEY_VARIABLE} set, or type the key into its settings (LLM Providers, jairouter).`,
  ],
  test: () => 'open the agent panel and say hello',
};

/** Where nobody tells what fits, Zed must still be told something. */
const USUAL_CONTEXT = 32_768;

function zedModel({ id, contextLength }: OfferedModel): object {
  return {
    name: id,
    display_name: id,
    max_tokens: contextLength ?? USUAL_CONTEXT,
    capabilities: {
      tools: true,
      images: false,
      parallel_tool_calls: false,
      prompt_cache_key: false,
    },
  };
}

/** Its calls come from its makers' servers, which can't reach this machine. */
export const cursor: Tool = {
  title: 'Cursor',
  notes: (endpoint) => [
    "Cursor's own servers call the model, and can't reach an address of this machine: it needs one that",
    'the internet can reach, such as a tunnel to it. Set `server.apiKeys` before you open one.',
    'In Cursor: Settings, Models, API Keys:',
    `  OpenAI API Key              ${endpoint.key ?? 'a key of server.apiKeys'}`,
    '  Override OpenAI Base URL    https://YOUR-TUNNEL/v1',
    `Add the model ${endpoint.model.id} under Models, and choose it in a chat.`,
  ],
  test: () => 'say hello in a chat with that model; the call shows in `jairouter tail`',
};
