import { formatClock } from '../format.ts';
import type { CapturedCall, RecentCall } from '../observe/status.ts';
import { curlFor } from './curl.ts';
import type { Actions, AppliedConfig, ConfigVersion, ReplayTarget } from './feed.ts';
import { counted } from './figures.ts';
import type { Order } from './order.ts';
import type { State } from './state.ts';
import type { Option, Page, View } from './view.ts';

/** What carrying out an order needs. */
export interface OrderContext {
  readonly feed: { readonly url: string };
  readonly actions: Actions;
  readonly state: () => State;
  /** Changes the view, as it is by then. */
  readonly look: (update: (view: View) => View) => void;
  readonly say: (text: string, tone: 'good' | 'bad' | 'accent') => void;
  readonly copy: (text: string) => void;
  readonly suspend: () => void;
  readonly leave: () => void;
}

/** Carries out an order; what comes of it is seen later. */
export function execute(order: Order, context: OrderContext): void {
  const { actions, look, say } = context;
  switch (order.do) {
    case 'change':
      say(`${order.instance} …`, 'accent');
      void report(actions.change(order.instance, order.change), order.done, context);
      return;
    case 'breaker':
      void report(actions.breaker(order.instance, order.action), order.done, context);
      return;
    case 'reload':
      void report(actions.reload(), appliedText, context);
      return;
    case 'rollback':
      void report(actions.rollback(order.version), appliedText, context);
      return;
    case 'load':
      refresh(context);
      return;
    case 'history':
      loadHistory(context);
      return;
    case 'curl':
      void showCommand(order.call, context);
      return;
    case 'targets':
      void chooseTarget(order.call, context);
      return;
    case 'replay':
      replay(order, context);
      return;
    case 'ask':
      look((view) => ({
        ...view,
        prompt: { kind: 'confirm', question: order.question, order: order.order },
      }));
      return;
    case 'suspend':
      context.suspend();
      return;
    case 'leave':
      context.leave();
  }
}

/** Gets the data of the page on top: when it is opened, and anew with each snapshot. */
export function refresh(context: OrderContext): void {
  const page = context.state().view.pages.at(-1);
  if (page?.kind === 'instance') {
    void context.actions.instance(page.name).then(
      (detail) => fill(context, page, (now) => ({ ...now, detail, problem: undefined })),
      (error: unknown) => fill(context, page, (now) => ({ ...now, problem: messageOf(error) })),
    );
  }
  // A call that is over does not change.
  if (page?.kind === 'call' && page.call.captured && !page.detail) {
    void context.actions.call(page.call.id).then(
      (detail) => fill(context, page, (now) => ({ ...now, detail, problem: undefined })),
      (error: unknown) => fill(context, page, (now) => ({ ...now, problem: messageOf(error) })),
    );
  }
}

/** Changes a page, wherever it is by now, unless it has been closed. */
function fill<P extends Page>({ look }: OrderContext, page: P, update: (page: P) => P): void {
  look((view) => ({
    ...view,
    pages: view.pages.map((one) => (isSame(one, page) ? update(one as P) : one)),
  }));
}

/** The same page, though it has been scrolled or filled meanwhile. */
function isSame(a: Page, b: Page): boolean {
  if (a.kind === 'instance' && b.kind === 'instance') return a.name === b.name;
  if (a.kind === 'call' && b.kind === 'call') return a.call === b.call;
  if (a.kind === 'choice' && b.kind === 'choice') return a.title === b.title;
  if (a.kind === 'replay' && b.kind === 'replay') return a.call === b.call && a.to === b.to;
  return a === b;
}

function open({ look }: OrderContext, page: Page): void {
  look((view) => ({ ...view, pages: [...view.pages, page] }));
}

/** @param done What to say when it has come about. */
async function report<Result>(
  action: Promise<Result>,
  done: string | ((result: Result) => string),
  { say }: OrderContext,
): Promise<void> {
  try {
    const result = await action;
    say(typeof done === 'string' ? done : done(result), 'good');
  } catch (error) {
    say(messageOf(error), 'bad');
  }
}

function appliedText({ version, diff }: AppliedConfig): string {
  if (diff.length === 0) return `the config is as it was, version ${version}`;
  return `the config is applied as version ${version}, with ${counted(diff.length, 'change')}`;
}

function loadHistory(context: OrderContext): void {
  const page = context.state().view.pages.at(-1)!;
  void context.actions.history().then(
    (versions) => {
      const options = versions.map((one): Option => {
        const rollback: Order = {
          do: 'ask',
          question: `Write version ${one.version} back into the config file?`,
          order: { do: 'rollback', version: one.version },
        };
        const label = `${one.version}  ${day(one.at)} ${formatClock(one.at)}`;
        return { label, remark: versionText(one), order: rollback };
      });
      fill(context, page, (now) => (now.kind === 'choice' ? { ...now, options } : now));
    },
    (error: unknown) => fill(context, page, (now) => ({ ...now, problem: messageOf(error) })),
  );
}

function versionText({ source, diff, current, invalid }: ConfigVersion): string {
  const [first = 'no change', ...others] = diff;
  const more = others.length === 0 ? '' : `, and ${counted(others.length, 'more change')}`;
  const state = current ? 'in effect, ' : invalid ? 'invalid, ' : '';
  return `${state}${source}: ${first}${more}`;
}

async function showCommand(call: RecentCall, context: OrderContext): Promise<void> {
  try {
    const detail = call.captured ? await context.actions.call(call.id) : undefined;
    const { command, remark } = curlFor(call, {
      url: context.feed.url,
      request: detail?.request,
    });
    context.copy(command);
    open(context, { kind: 'curl', command, remark, scroll: 0, problem: undefined });
  } catch (error) {
    context.say(messageOf(error), 'bad');
  }
}

async function chooseTarget(call: RecentCall, context: OrderContext): Promise<void> {
  const { actions, say } = context;
  if (!call.captured) {
    say('its body was not kept: with `capture` in the config, calls can be sent again', 'bad');
    return;
  }
  try {
    const [captured, targets] = await Promise.all([actions.call(call.id), actions.targets(call)]);
    const problem = whyNotAgain(captured);
    if (problem !== undefined) {
      say(problem, 'bad');
      return;
    }
    const option = (to: ReplayTarget | undefined, label: string, remark: string): Option => ({
      label,
      remark,
      order: { do: 'replay', call: captured, to },
    });
    const options = targets.map((to) => {
      const before = to.instance === call.instance ? ', as before' : '';
      return option(to, `${to.instance}/${to.model}`, to.remark + before);
    });
    open(context, {
      kind: 'choice',
      title: 'Send it again to',
      index: 0,
      scroll: 0,
      problem: undefined,
      options: [option(undefined, 'wherever it is routed', 'as any call'), ...options],
    });
  } catch (error) {
    say(messageOf(error), 'bad');
  }
}

/** @returns Absent: it can be sent again. */
function whyNotAgain({ request }: CapturedCall): string | undefined {
  if (!request)
    return 'its body is no longer kept: of the latest calls alone it is (capture.calls)';
  if (request.truncated)
    return 'its body was too long to be kept whole (capture.maxBytes), and cannot be sent again';
  return undefined;
}

function replay(
  { call, to }: { readonly call: CapturedCall; readonly to: ReplayTarget | undefined },
  context: OrderContext,
): void {
  const page: Page = {
    kind: 'replay',
    call,
    to,
    answer: undefined,
    scroll: 0,
    problem: undefined,
  };
  open(context, page);
  void context.actions.replay({ call, to }).then(
    (answer) => fill(context, page, (now) => ({ ...now, answer })),
    (error: unknown) => fill(context, page, (now) => ({ ...now, problem: messageOf(error) })),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function day(time: number): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
