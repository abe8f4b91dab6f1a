/** Starts Swagger UI, in the colours that the reader's system has. */

const dark = matchMedia('(prefers-color-scheme: dark)')
const paint = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', paint)
paint()

window.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#viewer',
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  filter: true,
  validatorUrl: null,
  defaultModelsExpandDepth: -1,
  // Its list of servers has a label that does not say whose it is.
  onComplete: () => document.getElementById('servers')?.setAttribute('aria-label', 'Server'),
})
