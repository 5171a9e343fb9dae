import { useState, type ReactElement } from 'react';
import { useTrans } from '../trans';
import { IconButton } from './Button';

/** A line to be typed elsewhere, with a button that copies it. */
export function CommandLine({ text }: { text: string }): ReactElement {
  const trans = useTrans();
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      // Without a secure context there is no clipboard; the text can still be selected.
      setCopied(false);
    }
  };
  return (
    <div className="jp-ape-CommandLine">
      <code>{text}</code>
      <IconButton
        label={copied ? trans.__('Copied') : trans.__('Copy')}
        icon={copied ? 'check' : 'copy'}
        onClick={() => void copy()}
      />
    </div>
  );
}
