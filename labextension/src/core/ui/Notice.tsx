import type { ReactElement, ReactNode } from 'react';
import type { Problem } from '../problem';
import { useTrans } from '../trans';
import { Button } from './Button';
import { CommandLine } from './CommandLine';
import { explain } from './explain';
import { Icon } from './icons';

interface NoticeProps {
  title: string;
  children?: ReactNode;
  tone?: 'calm' | 'error';
  compact?: boolean;
}

/** A state instead of content: what is the matter, and what to do. */
export function Notice({
  title,
  children,
  tone = 'calm',
  compact = false
}: NoticeProps): ReactElement {
  return (
    <div
      className={`jp-ape-Notice jp-ape-mod-${tone}${compact ? ' jp-ape-mod-compact' : ''}`}
      role={tone === 'error' ? 'alert' : 'status'}
    >
      <p className="jp-ape-Notice-title">
        {tone === 'error' && <Icon name="warning" />}
        {title}
      </p>
      {children}
    </div>
  );
}

interface ErrorNoticeProps {
  problem: Problem;
  onRetry?: () => void;
  compact?: boolean;
}

export function ErrorNotice({ problem, onRetry, compact = false }: ErrorNoticeProps): ReactElement {
  const trans = useTrans();
  const { title, text, command, said } = explain(problem, trans);
  return (
    <Notice title={title} tone="error" compact={compact}>
      <p>{text}</p>
      {command && <CommandLine text={command} />}
      {said && <p className="jp-ape-Notice-said">{said}</p>}
      {onRetry && <Button label={trans.__('Retry')} icon="refresh" onClick={onRetry} />}
    </Notice>
  );
}
