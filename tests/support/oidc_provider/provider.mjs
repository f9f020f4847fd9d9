// A certified OpenID provider (oidc-provider), with two pages of its own: sign in as whoever is typed, and consent.
// Takes its settings as JSON in the first argument; says "ready" once it listens.
import Provider from 'oidc-provider';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const settings = JSON.parse(process.argv[2]);
const issuer = `http://localhost:${settings.port}`;
if (settings.clock) {
  const real = Date.now;
  Date.now = () => real() + 1000 * Number(readFileSync(settings.clock, 'utf8'));
}
const people = settings.people; // by login: {sub, email, email_verified, name, amr, acr}

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'nightlatch',
    client_secret: settings.secret,
    redirect_uris: settings.redirect_uris,
    response_types: ['code'],
    grant_types: ['authorization_code'],
  }],
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  claims: { openid: ['sub', 'amr', 'acr'], email: ['email', 'email_verified'], profile: ['name'] },
  cookies: { keys: ['only for tests'] },
  acrValues: ['urn:test:mfa'],
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, sub) => {
    const found = Object.values(people).find((each) => each.sub === sub);
    return { accountId: sub, claims: () => ({ ...found, amr: undefined, acr: undefined }) };
  },
  ttl: { Session: 3600, Grant: 3600, Interaction: 600, AccessToken: 600, IdToken: 600, AuthorizationCode: 60 },
});

const form = (uid, body) => `<!doctype html><title>The test's provider</title><h1>The test's provider</h1>
<form method="post" action="/interaction/${uid}/${body}`;

const read = async (request) => {
  let text = '';
  for await (const part of request) text += part;
  return new URLSearchParams(text);
};

createServer(async (request, response) => {
  const [, kind, uid, step] = new URL(request.url, issuer).pathname.split('/');
  if (kind !== 'interaction') return provider.callback()(request, response);
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (request.method === 'GET') {
    response.setHeader('content-type', 'text/html');
    if (prompt.name === 'login') {
      return response.end(`${form(uid, 'login')}"><label>Login <input name="login"></label><button>Sign in</button></form>`);
    }
    return response.end(`${form(uid, 'consent')}"><button>Consent</button></form>`);
  }
  if (step === 'login') {
    const person = people[(await read(request)).get('login')];
    return provider.interactionFinished(request, response, {
      login: { accountId: person.sub, amr: person.amr, acr: person.acr },
    }, { mergeWithLastSubmission: false });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const grantId = await grant.save();
  return provider.interactionFinished(request, response, { consent: { grantId } }, { mergeWithLastSubmission: true });
}).listen(settings.port, '127.0.0.1', () => console.log('ready'));
