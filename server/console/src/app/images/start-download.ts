// SPDX-License-Identifier: Apache-2.0
/** Longer than a server takes to begin its answer. A download that has begun does not need the frame. */
const FRAME_KEPT_MS = 10 * 60_000;

/**
 * Submits a form whose answer the browser saves as a file while it arrives. The answer is for a hidden frame, so that
 * the page stays; `failed` is called with the text of an answer that is shown there instead of saved, which is an
 * error, or with null where that is not known.
 */
export function startDownload(address: string, fields: Readonly<Record<string, string>>, failed: (answer: string | null) => void): void {
  const frame = document.createElement('iframe');
  frame.name = `download-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`;
  frame.hidden = true;
  document.body.append(frame);
  const form = document.createElement('form');
  form.method = 'post';
  form.action = address;
  form.target = frame.name;
  form.acceptCharset = 'utf-8';
  form.hidden = true;
  for (const [name, value] of Object.entries(fields)) {
    const field = document.createElement('input');
    field.type = 'hidden';
    field.name = name;
    field.value = value;
    form.append(field);
  }
  document.body.append(form);
  const end = setTimeout(() => frame.remove(), FRAME_KEPT_MS);
  // A file that is saved loads nothing. An empty frame does, in some browsers.
  frame.addEventListener('load', () => {
    const page = frame.contentDocument;
    if (page?.URL === 'about:blank') {
      return;
    }
    clearTimeout(end);
    // Browsers that show JSON in a form of their own have the text itself in this element.
    const answer = (page?.querySelector('pre') ?? page?.body)?.textContent ?? null;
    frame.remove();
    failed(answer);
  });
  form.submit();
  form.remove();
}
