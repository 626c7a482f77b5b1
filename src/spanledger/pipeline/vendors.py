"""The looks of vendors' keys: name, how they begin (for the scan), and what follows; data only."""

from __future__ import annotations

from typing import Final

__all__ = ["COMMON", "MIXED", "STARTS", "STEMS", "VENDORS", "WEBHOOK_HOSTS"]

_A: Final = rb"[A-Za-z0-9]"
_W: Final = rb"[A-Za-z0-9_-]"

COMMON: Final[tuple[tuple[str, bytes, bytes], ...]] = (
    ("ANTHROPIC_KEY", rb"sk-ant-", _W + rb"{16,}"),
    ("OPENROUTER_KEY", rb"sk-or-", _W + rb"{16,}"),
    ("LANGFUSE_KEY", rb"(?:sk|pk)-lf-", rb"[0-9A-Fa-f-]{16,}"),
    ("OPENAI_KEY", rb"sk-", _W + rb"{20,}"),
    ("STRIPE_KEY", rb"(?:sk|rk)_(?:live|test)_", _A + rb"{10,}"),
    ("STRIPE_KEY", rb"whsec_", rb"[A-Za-z0-9+/=]{16,}"),
    ("GITHUB_TOKEN", rb"gh[pousr]_", _A + rb"{20,}"),
    ("GITHUB_TOKEN", rb"github_pat_", rb"[A-Za-z0-9_]{22,}"),
    ("GITLAB_TOKEN", rb"gl(?:pat|ptt|dt|rt|cbt|agent|oas|soat|ft|imt|ffct)-", rb"[A-Za-z0-9_.-]{16,}"),
    ("GITLAB_TOKEN", rb"GR1348941", _W + rb"{18,}"),
    ("DISCORD_TOKEN", rb"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.", rb"[A-Za-z0-9_-]{27,40}"),
    ("SLACK_TOKEN", rb"xox[abcdeoprs]-", rb"[A-Za-z0-9-]{10,}"),
    ("SLACK_TOKEN", rb"xapp-", rb"[A-Za-z0-9-]{10,}"),
    (
        "AWS_KEY",
        rb"(?:A3T[A-Z0-9]|AKIA|ASIA|AROA|AIDA|ABIA|ACCA|AGPA|ANPA|AIPA)",
        rb"(?:[A-Z0-9]{16}|[A-Z2-7][A-Z0-9]{11,14})(?![A-Za-z0-9])",
    ),
    ("AWS_KEY", rb"ABSK", rb"[A-Za-z0-9+/=]{60,}"),
    ("GOOGLE_KEY", rb"AIza", _W + rb"{30,}"),
    ("GOOGLE_KEY", rb"ya29\.", rb"[A-Za-z0-9_.-]{20,}"),
    ("GOOGLE_KEY", rb"GOCSPX-", _W + rb"{20,}"),
    ("HF_TOKEN", rb"(?:hf|api_org)_", _A + rb"{30,}"),
    ("GROQ_KEY", rb"gsk_", _A + rb"{20,}"),
    ("XAI_KEY", rb"xai-", _A + rb"{20,}"),
    ("PERPLEXITY_KEY", rb"pplx-", _A + rb"{20,}"),
    ("NPM_TOKEN", rb"npm_", _A + rb"{30,}"),
    ("PYPI_TOKEN", rb"pypi-", _W + rb"{30,}"),
    ("DATABRICKS_TOKEN", rb"dapi", rb"[0-9a-f]{32}(?:-[0-9])?"),
    ("DIGITALOCEAN_TOKEN", rb"do[opr]_v1_", rb"[0-9a-f]{32,}"),
    ("SENDGRID_KEY", rb"SG\.", rb"[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    ("TWILIO_KEY", rb"(?:SK|AC)[0-9a-f]{8}", rb"[0-9a-f]{24}(?![0-9A-Za-z])"),
    ("LANGSMITH_KEY", rb"ls(?:v2_(?:pt|sk)|__)_", rb"[0-9A-Za-z_]{20,}"),
    ("MAILGUN_KEY", rb"key-", rb"[0-9a-f]{32}(?![0-9A-Za-z])"),
    ("MAILCHIMP_KEY", rb"[0-9a-f]{32}-us", rb"[0-9]{1,2}(?![0-9A-Za-z])"),
    ("TELEGRAM_TOKEN", rb"(?:bot)?[0-9]{8,10}:A", rb"[A-Za-z0-9_-]{30,36}"),
    ("SQUARE_TOKEN", rb"(?:sq0(?:atp|csp|idp)-|EAAA)", _W + rb"{20,}"),
    ("SHOPIFY_TOKEN", rb"shp(?:at|ca|pa|ss)_", rb"[0-9A-Fa-f]{32}"),
    ("ATLASSIAN_TOKEN", rb"ATATT3", rb"[A-Za-z0-9_=-]{50,}"),
    ("REPLICATE_TOKEN", rb"r8_", _A + rb"{30,}"),
    ("FIREWORKS_KEY", rb"fw_", _A + rb"{20,}"),
    ("TAVILY_KEY", rb"tvly-", _W + rb"{20,}"),
    ("DOPPLER_TOKEN", rb"dp\.(?:pt|ct|sa|scim|audit|st(?:\.[a-z0-9_-]{2,35})?)\.", _A + rb"{30,}"),
    ("LINEAR_KEY", rb"lin_(?:api|oauth)_", _A + rb"{30,}"),
    ("NOTION_TOKEN", rb"(?:secret_|ntn_)", _A + rb"{40,}"),
    ("POSTMAN_KEY", rb"PMAK-", rb"[0-9a-f-]{40,}"),
    ("VAULT_TOKEN", rb"hv[sbr]\.", _W + rb"{20,}"),
    ("NEW_RELIC_KEY", rb"NRAK-", _A + rb"{20,}"),
    ("GRAFANA_TOKEN", rb"gl(?:c|sa)_", rb"[A-Za-z0-9_+/=]{20,}"),
    ("AGE_KEY", rb"AGE-SECRET-KEY-1", rb"[0-9A-Z]{40,}"),
    ("ARTIFACTORY_KEY", rb"AKCp", _A + rb"{40,}"),
)
"""Of these even the first half counts, where a value was cut."""
VENDORS: Final = (
    *COMMON,
    ("TOGETHER_KEY", rb"tgp_v1_", _W + rb"{30,}"),
    ("GOOGLE_KEY", rb"AQ\.Ab", _W + rb"{30,}"),
    ("GITHUB_TOKEN", rb"ghs_[0-9]{1,12}_eyJ", rb"[A-Za-z0-9_.-]{20,}"),
    ("WANDB_KEY", rb"wandb_v1_", _W + rb"{40,}"),
    ("VERCEL_TOKEN", rb"vc[pack]_", _A + rb"{24,}"),
    ("CLOUDFLARE_KEY", rb"cf(?:ut|at|k)_", _W + rb"{36,}"),
    ("APIFY_TOKEN", rb"apify_api_", _A + rb"{30,}"),
    ("LLAMACLOUD_KEY", rb"llx-", _A + rb"{40,}"),
    ("CEREBRAS_KEY", rb"csk-", _A + rb"{40,}"),
    ("NVIDIA_KEY", rb"nvapi-", _W + rb"{40,}"),
    ("ELEVENLABS_KEY", rb"sk_[0-9a-f]{8}", rb"[0-9a-f]{40}(?![0-9A-Za-z])"),
    ("FIRECRAWL_KEY", rb"fc-[0-9a-f]{8}", rb"[0-9a-f]{24}(?![0-9A-Za-z])"),
    ("WANDB_KEY", rb"local-[0-9a-f]{8}", rb"[0-9a-f]{32}(?![0-9A-Za-z])"),
    ("PINECONE_KEY", rb"pcsk_", rb"[A-Za-z0-9_]{40,}"),
    ("VOYAGE_KEY", rb"pa-[A-Za-z0-9_-]{20}", _W + rb"{23}(?![A-Za-z0-9_-])"),
    ("JINA_KEY", rb"jina_", _W + rb"{40,}"),
    ("E2B_KEY", rb"e2b_", rb"[0-9a-f]{40}"),
    ("BROWSERBASE_KEY", rb"bb_live_", _W + rb"{20,}"),
    ("RUNPOD_KEY", rb"rpa_", rb"[A-Z0-9]{30,}"),
    ("ANYSCALE_KEY", rb"esecret_", _A + rb"{20,}"),
    ("BITBUCKET_TOKEN", rb"ATBB", _A + rb"{28,}"),
    ("TRELLO_TOKEN", rb"ATTA", rb"[0-9a-f]{40,}"),
    ("GOOGLE_KEY", rb"1//0", _W + rb"{40,}"),
    ("RUBYGEMS_KEY", rb"rubygems_", rb"[0-9a-f]{48}"),
    ("CRATES_TOKEN", rb"cio[A-Za-z0-9]{16}", rb"[A-Za-z0-9]{16}(?![0-9A-Za-z])"),
    ("DOCKER_TOKEN", rb"dckr_[po]at_", _W + rb"{20,}"),
    ("HEROKU_KEY", rb"HRKU-", _W + rb"{36,}"),
    ("FLY_TOKEN", rb"f(?:o1|m[12])_", rb"[A-Za-z0-9+/=_-]{40,}"),
    ("VERCEL_TOKEN", rb"vercel_blob_rw_", rb"[A-Za-z0-9_]{30,}"),
    ("NETLIFY_TOKEN", rb"nf[pcoub]_[A-Za-z0-9]{12}", _A + rb"{18,}"),
    ("CLOUDFLARE_KEY", rb"v1\.0-", rb"[0-9a-f]{24}-[0-9a-f]{100,}"),
    ("SUPABASE_KEY", rb"sb(?:p|_secret)_", _W + rb"{20,}"),
    ("PLANETSCALE_KEY", rb"pscale_(?:tkn|pw|oauth)_", _W + rb"{30,}"),
    ("NEON_KEY", rb"napi_", _A + rb"{40,}"),
    ("PAYPAL_TOKEN", rb"access_token\$(?:production|sandbox)\$", rb"[0-9a-z]{16}\$[0-9a-f]{32}"),
    ("PLAID_TOKEN", rb"access-(?:production|sandbox|development)-[0-9a-f]{8}-", rb"[0-9a-f-]{27}"),
    ("NEW_RELIC_KEY", rb"[0-9a-f]{36}NRA", rb"L(?![0-9A-Za-z])"),
    ("SENTRY_TOKEN", rb"sntry[su]_", rb"[A-Za-z0-9+/=_-]{40,}"),
    ("POSTHOG_KEY", rb"phx_", _A + rb"{40,}"),
    ("AIRTABLE_TOKEN", rb"pat[A-Za-z0-9]{14}\.", rb"[0-9a-f]{64}"),
    ("ASANA_TOKEN", rb"[12]/[0-9]{13,17}:", rb"[0-9a-f]{32}"),
    ("FIGMA_TOKEN", rb"figd_", _W + rb"{30,}"),
    ("HUBSPOT_TOKEN", rb"pat-[a-z]{2}[0-9]-", rb"[0-9a-f-]{36}"),
    ("DROPBOX_TOKEN", rb"sl\.[A-Za-z0-9_.-]{30}", rb"[A-Za-z0-9_-]{70,}"),
    ("SONAR_TOKEN", rb"sq[apu]_[0-9a-f]{8}", rb"[0-9a-f]{32}"),
    ("BUILDKITE_TOKEN", rb"bku[ai]_", rb"[0-9a-f]{40}"),
    ("CIRCLECI_TOKEN", rb"CCIP(?:AT|RJ)_", rb"[A-Za-z0-9_]{40,}"),
    ("CONTENTFUL_TOKEN", rb"CFPAT-", _W + rb"{40,}"),
    ("DUFFEL_TOKEN", rb"duffel_(?:live|test)_", _W + rb"{30,}"),
    ("EASYPOST_KEY", rb"EZ[AT]K[A-Za-z0-9]{12}", _A + rb"{42}(?![0-9A-Za-z])"),
    ("FLUTTERWAVE_KEY", rb"FLWSECK(?:_TEST)?-", rb"[0-9a-f]{32}(?:-X)?"),
    ("FRAMEIO_TOKEN", rb"fio-u-", _W + rb"{60,}"),
    ("LOB_KEY", rb"(?:live|test)_[0-9a-f]{8}", rb"[0-9a-f]{27}(?![0-9A-Za-z])"),
    ("PREFECT_KEY", rb"pn[ub]_[A-Za-z0-9]{12}", _A + rb"{24}(?![0-9A-Za-z])"),
    ("PULUMI_TOKEN", rb"pul-[0-9a-f]{8}", rb"[0-9a-f]{32}"),
    ("README_KEY", rb"rdme_", rb"[a-z0-9]{60,}"),
    ("SCALINGO_TOKEN", rb"tk-us-", _W + rb"{40,}"),
    ("SHIPPO_TOKEN", rb"shippo_(?:live|test)_", rb"[0-9a-f]{40}"),
    ("TAILSCALE_KEY", rb"tskey-[a-z]{3,8}-", rb"[A-Za-z0-9]{8,}-[A-Za-z0-9]{20,}"),
    ("TYPEFORM_TOKEN", rb"tfp_", _W + rb"{40,}"),
    ("CLOJARS_TOKEN", rb"CLOJARS_", rb"[0-9a-z]{60}"),
    ("DENO_TOKEN", rb"dd[po]_[A-Za-z0-9]{12}", _A + rb"{24}(?![0-9A-Za-z])"),
    ("RESEND_KEY", rb"re_[A-Za-z0-9]{8}_", _A + rb"{20,}"),
    ("SVIX_KEY", rb"testsk_", rb"[A-Za-z0-9.]{30,}"),
    ("DYNATRACE_TOKEN", rb"dt0[cs][0-9]{2}\.", rb"[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    ("ALIBABA_KEY", rb"LTAI", _A + rb"{16,20}(?![0-9A-Za-z])"),
    ("TENCENT_KEY", rb"AKID", _A + rb"{32}(?![0-9A-Za-z])"),
    ("YANDEX_KEY", rb"(?:AQVN|y0_)[A-Za-z0-9_-]{12}", _W + rb"{23,}"),
    ("BREVO_KEY", rb"xkeysib-", rb"[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    ("HONEYCOMB_KEY", rb"hc[a-z]ik_", _A + rb"{40,}"),
    ("AXIOM_TOKEN", rb"xa[ap]t-", rb"[0-9a-f-]{36}"),
    ("SEGMENT_TOKEN", rb"sgp_[A-Za-z0-9]{12}", _A + rb"{38,}"),
    ("NUGET_KEY", rb"oy2[a-z0-9]{12}", rb"[a-z0-9]{31}(?![0-9A-Za-z])"),
    ("OPENSHIFT_TOKEN", rb"sha256~", _W + rb"{43}"),
    ("RAZORPAY_KEY", rb"rzp_(?:live|test)_", _A + rb"{14,}"),
    ("MERCADO_PAGO_KEY", rb"APP_USR-", rb"[0-9a-f-]{40,}"),
    ("FACEBOOK_TOKEN", rb"EAA[B-Z]", _A + rb"{60,}"),
    ("X_TOKEN", rb"AAAAAAAAAAAAAAAAAAAA", rb"[A-Za-z0-9%]{60,}"),
    ("ZHIPU_KEY", rb"[0-9a-f]{32}\.[A-Za-z0-9]{8}", rb"[A-Za-z0-9]{8}(?![0-9A-Za-z])"),
    ("ASTRA_TOKEN", rb"AstraCS:", rb"[A-Za-z0-9:%]{60,}"),
    ("ARTIFACTORY_KEY", rb"cmVmdGtu", _A + rb"{40,}"),
)

STEMS: Final = (
    b"sk- -lf- _live_ _test_ whsec_ gh gl gr1348941 . xox xapp- a3t akia asia aroa aida abia acca agpa anpa aipa"
    b" absk aiza gocspx- hf_ api_org_ gsk_ xai- pplx- npm_ pypi- dapi _v1_ ls key- -us :a sq0 eaaa shp atatt3 r8_"
    b" fw_ tvly- lin_ secret_ ntn_ pmak- nrak- age-secret-key-1 akcp -----begin eyj https:// private-lines:"
    b" aq.ab wandb_v1_ vcp_ vca_ vck_ cfut_ cfat_ cfk_ apify_api_ llx-"
    b" github_pat_ tgp_v1_ csk- nvapi- sk_ fc- local- pcsk_ pa- jina_ e2b_ bb_live_ rpa_ esecret_ atbb atta 1//0"
    b" rubygems_ cio dckr_ hrku- fo1_ fm vercel_ nf v1.0- sb pscale_ napi_ access nra sntry phx_ pat figd_ sl. sq bku"
    b" ccip cfpat- duffel_ ez flwseck fio-u- live_ test_ pn pul- rdme_ tk-us- shippo_ tskey- tfp_ clojars_ dd re_"
    b" dt0 ltai akid aqvn y0_ xkeysib- hc xa sgp_ oy2 sha256~ rzp_ app_usr- eaa aaaaaaaaaa : astracs: cmvmdgtu"
    b" q~ .atlasv1."
).split() + [b"%s%x" % (head, digit) for head in (b"sk", b"ac") for digit in range(16)]
"""Of these one stands in each of them, in lower case."""

STARTS: Final = {
    rb"(?:sk|pk)-lf-": b"sp", rb"(?:sk|rk)_(?:live|test)_": b"sr",
    rb"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.": b"MNO",
    rb"(?:A3T[A-Z0-9]|AKIA|ASIA|AROA|AIDA|ABIA|ACCA|AGPA|ANPA|AIPA)": b"A", rb"(?:hf|api_org)_": b"ha",
    rb"(?:SK|AC)[0-9a-f]{8}": b"SA", rb"[0-9a-f]{32}-us": b"0123456789abcdef",
    rb"(?:bot)?[0-9]{8,10}:A": b"b0123456789", rb"(?:sq0(?:atp|csp|idp)-|EAAA)": b"sE",
    rb"(?:secret_|ntn_)": b"sn", rb"[0-9a-f]{36}NRA": b"0123456789abcdef",
    rb"[12]/[0-9]{13,17}:": b"12", rb"(?:live|test)_[0-9a-f]{8}": b"lt", rb"(?:AQVN|y0_)[A-Za-z0-9_-]{12}": b"Ay",
    rb"[0-9a-f]{32}\.[A-Za-z0-9]{8}": b"0123456789abcdef",
}  # fmt: skip
"""What those prefixes begin with that do not begin with a letter."""

MIXED: Final = frozenset({
    "VOYAGE_KEY", "CRATES_TOKEN", "ZHIPU_KEY", "JINA_KEY", "ALIBABA_KEY", "TENCENT_KEY", "NETLIFY_TOKEN", "PREFECT_KEY",
    "DENO_TOKEN", "TOGETHER_KEY", "BITBUCKET_TOKEN", "RESEND_KEY", "SCALINGO_TOKEN", "YANDEX_KEY", "X_TOKEN",
})  # fmt: skip
"""Those whose beginning says little: they have small and capital letters and digits."""
WEBHOOK_HOSTS: Final = (
    rb"https://(?:hooks\.slack|hooks\.zapier|(?:ptb\.|canary\.)?discord|outlook\.office|[a-z0-9-]+\.webhook\.office)"
)
