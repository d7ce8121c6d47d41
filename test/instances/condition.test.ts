import { describe, expect, it, vi } from 'vitest';
import { Condition } from '../../src/instances/condition.ts';

const ON = { enabled: true, unset: undefined };

function condition(settings: { enabled: boolean; unset: string | undefined } = ON) {
  const onChange = vi.fn<() => void>();
  return { subject: new Condition(settings, onChange), onChange };
}

describe('an instance’s condition', () => {
  it('is unknown until somebody has looked, and then what was observed', () => {
    const { subject, onChange } = condition();
    expect(subject).toMatchObject({ state: 'unknown', fresh: true, off: false });
    subject.observe('healthy', undefined);
    expect(subject).toMatchObject({ state: 'healthy', fresh: false });
    subject.observe('unhealthy', 'connection refused');
    expect(subject).toMatchObject({ state: 'unhealthy', detail: 'connection refused' });
    expect(onChange).toHaveBeenCalledTimes(2);
  });

  it('tells of changes of state, not of its reasons', () => {
    const { subject, onChange } = condition();
    subject.observe('unhealthy', 'connection refused');
    const { since } = subject;
    subject.observe('unhealthy', 'no answer');
    expect(subject).toMatchObject({ detail: 'no answer', since });
    expect(onChange).toHaveBeenCalledOnce();
  });

  it('is what the config says, whatever was observed', () => {
    expect(condition({ enabled: false, unset: undefined }).subject).toMatchObject({
      state: 'disabled',
      detail: 'enabled: false',
      off: true,
    });
    const { subject } = condition({ enabled: true, unset: 'OPENAI_API_KEY' });
    subject.observe('healthy', undefined);
    expect(subject).toMatchObject({
      state: 'misconfigured',
      detail: 'the variable OPENAI_API_KEY is not set',
      off: true,
    });
  });

  it('is what the last order says, until the config says another thing', () => {
    const { subject } = condition();
    subject.observe('healthy', undefined);
    subject.order({ draining: true });
    expect(subject).toMatchObject({ state: 'draining', detail: 'by an order', off: false });
    subject.order({ enabled: false });
    expect(subject).toMatchObject({ state: 'disabled', detail: 'by an order', off: true });
    subject.update(ON);
    expect(subject.state).toBe('disabled');
    subject.update({ ...ON, enabled: false });
    subject.update(ON);
    expect(subject.state).toBe('draining');
    subject.order({ draining: false });
    // Nobody has looked while it was off.
    expect(subject).toMatchObject({ state: 'unknown', fresh: true });
  });

  it('drains for good when it has left the config', () => {
    const { subject, onChange } = condition();
    subject.observe('healthy', undefined);
    subject.leave();
    subject.observe('unhealthy', 'connection refused');
    expect(subject).toMatchObject({ state: 'draining', detail: 'it has left the config' });
    expect(onChange).toHaveBeenCalledOnce();
  });
});
