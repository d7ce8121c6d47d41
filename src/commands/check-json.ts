import type { ConfigError } from '../config/problem.ts';
import type { ModelProblem } from './check-models.ts';
import { countsOf, type Checked } from './check-report.ts';

interface Result {
  readonly file: string | undefined;
  readonly warnings: readonly string[];
  readonly checked: readonly Checked[];
  readonly problems: readonly ModelProblem[];
  readonly ok: boolean;
}

/** What `check --json` prints; the shape is documented in docs/cli.md. */
export function checkJson({ file, warnings, checked, problems, ok }: Result): unknown {
  return {
    ok,
    config: { file: file ?? null, valid: true, problems: [], warnings },
    instances: checked.map(({ instance, inspection }) => {
      const { state, latency, version, models, missing, problem, hint } = inspection;
      return {
        name: instance.name,
        adapter: instance.adapter.name,
        baseUrl: instance.connections.address,
        state,
        reachable: latency !== undefined,
        authorised: latency === undefined ? null : state !== 'refused',
        version: version ?? null,
        latencyMs: latency === undefined ? null : Math.round(latency * 10) / 10,
        services: models ? countsOf(models) : null,
        models: models?.map(({ id, services }) => ({ id, services: services ?? null })) ?? null,
        missingModels: missing,
        problem: problem ?? null,
        hint: hint ?? null,
      };
    }),
    names: problems.map(({ place, problem, hint }) => ({ place, problem, hint: hint ?? null })),
  };
}

/** The same for a config that can't be used: nothing was asked. */
export function invalidJson({ problems }: ConfigError): unknown {
  return {
    ok: false,
    config: {
      file: problems[0]?.file ?? null,
      valid: false,
      problems: problems.map(({ file, line, column, path, message }) => ({
        file,
        line: line ?? null,
        column: column ?? null,
        path,
        message,
      })),
      warnings: [],
    },
    instances: [],
    names: [],
  };
}
