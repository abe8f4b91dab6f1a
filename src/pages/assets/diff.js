/** Opens the diff of a text file in place. Without it the same links lead to a page. */

for (const details of document.querySelectorAll('details[data-load]')) {
  details.addEventListener('toggle', () => load(details), { once: true })
}

async function load(details) {
  const told = details.querySelector('.load')
  details.setAttribute('aria-busy', 'true')
  try {
    const answer = await fetch(details.dataset.load)
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const shown = page.querySelector('[data-loaded]') ?? page.querySelector('[role="alert"]')
    if (shown !== null) told.replaceWith(document.importNode(shown, true))
  } catch {
    // The link is still there.
  } finally {
    details.removeAttribute('aria-busy')
  }
}
