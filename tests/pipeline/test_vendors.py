"""Keys of many makers, ways to write down a password, and what only looks like either."""

from __future__ import annotations

import json
import random
import string

import pytest

from spanledger.pipeline.redact import Redactor

REDACTOR = Redactor()
RANDOM = random.Random(11)
LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits


def some(size: int, of: str = LETTERS) -> str:
    """A run with a small and a capital letter and a digit in it, where *of* has them."""
    first = "".join(kind for kind in ("a", "B", "7") if kind in of)
    return first + "".join(RANDOM.choice(of) for _ in range(size - len(first)))


KEYS = {
    "gemini": "AQ.Ab8RN6" + some(44), "github-app": f"ghs_123456_eyJ{some(30)}.eyJ{some(40)}.{some(40)}",
    "wandb-1": "wandb_v1_" + some(60), "vercel-2": "vcp_" + some(56), "cloudflare-2": "cfut_" + some(48),
    "apify": "apify_api_" + some(36), "llamacloud": "llx-" + some(48), "slack-d": "xoxd-" + some(40),
    "linear-oauth": "lin_oauth_" + some(64, HEX), "doppler": "dp.st.prd." + some(43),
    "together": "tgp_v1_" + some(43), "cerebras": "csk-" + some(48, LOWER), "nvidia": "nvapi-" + some(64),
    "elevenlabs": "sk_" + some(48, HEX), "firecrawl": "fc-" + some(32, HEX), "wandb": "local-" + some(40, HEX),
    "pinecone": f"pcsk_{some(6)}_{some(63)}", "voyage": "pa-" + some(43), "jina": "jina_" + some(60), "e2b": "e2b_" + some(40, HEX),
    "bitbucket": "ATBB" + some(32), "google": "ya29.a0" + some(120), "google refresh": "1//0" + some(60),
    "azure": some(3) + "8Q~" + some(34), "rubygems": "rubygems_" + some(48, HEX), "crates": "cio" + some(32),
    "docker": "dckr_pat_" + some(27), "terraform": f"{some(14)}.atlasv1.{some(64)}", "heroku": "HRKU-" + some(58),
    "fly": "FlyV1 fm2_" + some(200), "vercel": f"vercel_blob_rw_{some(16)}_{some(30)}", "netlify": "nfp_" + some(36),
    "cloudflare": f"v1.0-{some(24, HEX)}-{some(146, HEX)}", "supabase": "sbp_" + some(40, HEX), "supabase2": "sb_secret_" + some(31),
    "planetscale": "pscale_tkn_" + some(43), "neon": "napi_" + some(64, LOWER), "sentry": "sntryu_" + some(64, HEX),
    "paypal": f"access_token$production${some(16, LOWER)}${some(32, HEX)}", "new relic": some(36, HEX) + "NRAL",
    "plaid": "access-production-32622e4c-a6da-452a-76d7-c29203e97ebf", "posthog": "phx_" + some(43),
    "airtable": f"pat{some(14)}.{some(64, HEX)}", "asana": f"1/{some(16, string.digits)}:{some(32, HEX)}",
    "figma": "figd_" + some(40), "hubspot": "pat-na1-87dac91f-a532-271c-336b-7c881f9f1902", "dropbox": "sl." + some(135),
    "sonar": "squ_" + some(40, HEX), "buildkite": "bkua_" + some(40, HEX), "circle": f"CCIPAT_{some(22)}_{some(40, HEX)}",
    "contentful": "CFPAT-" + some(43), "duffel": "duffel_live_" + some(43), "easypost": "EZAK" + some(54),
    "flutterwave": f"FLWSECK_TEST-{some(32, HEX)}-X", "frame.io": "fio-u-" + some(64), "lob": "live_" + some(35, HEX),
    "prefect": "pnu_" + some(36), "pulumi": "pul-" + some(40, HEX), "readme": "rdme_" + some(70, LOWER),
    "scalingo": "tk-us-" + some(48), "shippo": "shippo_live_" + some(40, HEX), "tailscale": f"tskey-auth-{some(12)}-{some(32)}",
    "typeform": "tfp_" + some(59), "clojars": "CLOJARS_" + some(60, LOWER), "deno": "ddp_" + some(36),
    "resend": f"re_{some(8)}_{some(24)}", "dynatrace": f"dt0c01.{some(24, UPPER)}.{some(64, UPPER)}", "alibaba": "LTAI" + some(20),
    "tencent": "AKID" + some(32), "yandex": "AQVN" + some(35), "nuget": "oy2" + some(43, LOWER), "facebook": "EAAB" + some(120),
    "zhipu": f"{some(32, HEX)}.{some(16)}", "zapier": "https://hooks.zapier.com/hooks/catch/5878858/vx0tbk1/",
    "gitlab": f"glpat-{some(27)}.01.{some(9, LOWER)}",
}  # fmt: skip


@pytest.mark.parametrize(
    "frame", ["{}", "use {} please", '{{"x": "{}"}}', "a,b\n1,{}\n", "<v>{}</v>", "curl https://a.example/?z={}"]
)
@pytest.mark.parametrize("maker", KEYS)
def test_a_makers_key_goes_wherever_it_stands(maker, frame):
    assert KEYS[maker][-12:] not in REDACTOR.text(frame.format(KEYS[maker]))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("CREATE USER 'b'@'%' IDENTIFIED BY 'kite-horse'", "kite-horse"), ('IDENTIFIED WITH x BY "tr0ub4"', "tr0ub4"),
        ("requirepass hunter2!x", "hunter2!x"), ("keytool -storepass hunter2!x", "hunter2!x"), ('psk="Zx9#kLm2"', "Zx9#kLm2"),
        ("Passphrase for key: hunter2!x", "hunter2!x"), ('"name":"password","value":"Tr0ub&3xie"', "Tr0ub&3xie"),
        ("Password.......: hunter2!z", "hunter2!z"), ("Password\tcorrect-horse-9", "correct-horse-9"),
        ("| password | correct-horse-9 |", "correct-horse-9"), ("password \u2192 S3cr3t!p", "S3cr3t!p"),
        ("root password - Zx9#kLm2", "Zx9#kLm2"), ("The secret key is S3cr3t!p", "S3cr3t!p"), ("ENV DB_PASSWORD hunter2!q", "hunter2!q"),
        ("her password (hunter2!q)", "hunter2!q"), ("machine x.example login bob password Tr0ub4!dor", "Tr0ub4!dor"),
        ("Authorization k8yoes6Zyp4e4MpRSeA6", "k8yoes6Zyp4e4MpRSeA6"), ("login admin/password", "admin/password"),
        ('Authorization: Digest username="ann", response="9cbed490864a88"', "9cbed490864a88"),
        ("write ann\\u0040corp.example", "ann\\u0040corp"), ("passport no. C01X00T47", "C01X00T47"),
        ('{"kty": "EC", "x": "4k2", "d": "r4H246YpxZryc7gBmqJIktwPElr0BmmMQ1squBGR0Qm"}', "r4H246YpxZry"),
        ('{"card": [4111, 1111, 1111, 1111]}', "1111, 1111"), ("_(415) 555-2671_", "555-2671"), ("_2001:db8::8a2e:370:7334_", "8a2e"),
        ("card 4242424242424242, cvv 123", "123"), ("OTP 829 113", "829 113"), ("2FA code: 123 456", "123 456"),
        ('$password = ConvertTo-SecureString "hunter2x" -AsPlainText', "hunter2x"), ("call me on 020 7946 0958", "7946"),
        ('form-data; name="password"\r\n\r\nhunter2x\r\n--b', "hunter2x"), ("name=password value=hunter2x", "hunter2x"),
        ("aadhaar 2345 6789 0124", "6789 0124"), ("seed phrase: " + "zoo able " * 6, "zoo able zoo"),
        ("5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ", "5HueCGU8"), ("private key 0x" + "4c08" * 16, "4c084c08"),
        ("user,password,role\nann,hunter2x,admin\nbob,letmein99,user\n", "letmein99"), ("| id | password |\n|---|---|\n| 1 | hunter2! |", "hunter2!"),
        ("id\tpassport\tname\n1\tC01X00T47\tAnn", "C01X00T47"), ("_00:1A:2B:3C:4D:5E_", "3C:4D"), ("_00-1a-2b-3c-4d-5e_", "3c-4d"), ("q=3782+822463+10005", "822463"),
        ("pay with 6222021234567890 or 4000.0000.0000.0000.006", "0000.0000.006"), ("GET /?jane=40acme.example", "jane=40acme"),
        ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nAAAB3NzaC1yc2E\n---- END SSH2 ENCRYPTED PRIVATE KEY ----", "AAAB3NzaC1yc2E"),
    ],
)  # fmt: skip
def test_a_secret_goes_however_it_is_written_down(text, secret):
    assert secret in text
    assert secret not in REDACTOR.text(text)


@pytest.mark.parametrize(
    "text",
    [
        "token: JsonWebToken2", "session = OAuth2Session", "password: Optional[str] = None", "sid: S-1-5-21", "x = a::b", "see section 3.2.1.4",
        "EAN 4006381333931", "local-storage-2026-cache", "fc-barcelona-2026", "test_payment_flow_v2_and_more", "pa-some-long-slug-2026-of-words",
        "key-rotation-policy", "id=404552627", '{"p": "x", "q": "hello there", "d": 3}', '{"sizes": [4111, 1111, 1111, 1111]}',
        "login admin/settings", "password policy 2026", "password reset step 1", "| password | optional |", "sk_test_flow", "md5 d41d8cd98f00b204e9800998ecf8427e.parquet",
        "Use --password-stdin instead.", "secretKeyRef:\n  name: db\n  key: password", '{"token": "Hello", "logprob": -0.31}',
        "user,password,role\nann,,admin\n", "password, token and more\nwe keep none of them 2026\n", "we use passwords, tokens\nand so on, 12 of them\n",
        "password - at least 8 characters", "foo_00:1a", "the password field, 12 characters", "secret to 10 good meals", "psk modulation",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_stays(text):
    assert REDACTOR.text(text) == text


def test_the_private_parts_of_a_key_go_and_its_public_ones_stay():
    key = {
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbW",
        "e": "AQAB",
        "d": "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJo",
    }
    new = json.loads(REDACTOR.text(json.dumps(key)))
    assert new == {**key, "d": "[SECRET]"}
