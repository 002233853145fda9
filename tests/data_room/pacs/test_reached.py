"""How an archive is reached: certificates, secrets, and options that do not go together."""

import dataclasses
import ssl
from pathlib import Path

import pytest

from hounsfield.core.errors import ArchiveError, HounsfieldError, InputError
from hounsfield.core.progress import Silent
from hounsfield.workflow.archives import Access, reached
from hounsfield.workflow.pulling import pull
from tests.data_room.pacs.certificates import certificate
from tests.data_room.pacs.web_server import Reply, matches, serving, told

WEB, DIMSE = "https://pacs.example/rs", "PACS@pacs.example:104"


def _serves(own: Path, *, trusts: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=trusts)
    context.load_cert_chain(own)
    if trusts is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _asked(url: str, access: Access, out: Path) -> str:
    """Pull from a service that answers every search with nothing; return what is said."""
    with pytest.raises(HounsfieldError) as raised:
        pull(url, out, query="PatientID=A", access=access)
    return raised.value.message()


def test_a_certificate_is_verified_by_authority_and_name(tmp_path: Path) -> None:
    own, other = certificate(tmp_path / "own.pem"), certificate(tmp_path / "other.pem")
    named_otherwise = certificate(tmp_path / "named.pem", address="127.0.0.2")
    out = tmp_path / "out"
    with serving(lambda _: matches(), tls=_serves(own)) as service:
        assert "no series that matches" in _asked(service.url, Access(tls_ca=own), out)
        assert "not trusted" in _asked(service.url, Access(), out)
        assert "--tls-ca" in _asked(service.url, Access(), out)
        assert "not trusted" in _asked(service.url, Access(tls_ca=other), out)
        assert len(service.asked) == 1
    with serving(lambda _: matches(), tls=_serves(named_otherwise)) as service:
        assert "not trusted" in _asked(service.url, Access(tls_ca=named_otherwise), out)
        assert service.asked == []
    assert not out.exists()


def test_no_credentials_cross_a_connection_that_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUNSFIELD_PASSWORD", "secret")
    with serving(lambda _: matches(), tls=_serves(certificate(tmp_path / "own.pem"))) as service:
        _asked(service.url, Access(user="reader"), tmp_path / "out")
        assert service.asked == []


def test_our_certificate_is_shown_where_it_is_asked_for(tmp_path: Path) -> None:
    own, ours = certificate(tmp_path / "own.pem"), certificate(tmp_path / "ours.pem")
    with serving(lambda _: matches(), tls=_serves(own, trusts=ours)) as service:
        said = _asked(service.url, Access(tls_ca=own, tls_cert=ours), tmp_path / "out")
        assert "no series that matches" in said
        assert "no series that matches" not in _asked(service.url, Access(tls_ca=own), tmp_path / "out")
        assert len(service.asked) == 1


def test_certificates_have_to_be_readable(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    locked = certificate(tmp_path / "locked.pem", lock="long enough")
    for target in (WEB, DIMSE):
        for access, said in (
            (Access(tls_ca=tmp_path / "ca.pem"), "--tls-ca"),
            (Access(tls_ca=tmp_path / "none.pem"), "no file"),
            (Access(tls_cert=locked), "without a password"),
            (Access(tls_cert=tmp_path / "ca.pem"), "--tls-cert"),
        ):
            if target == DIMSE and "none" not in str(access):
                continue  # read when the first association begins
            with pytest.raises(InputError) as raised, reached(target, access, Silent()):
                pass
            assert said in raised.value.message()
            assert str(tmp_path) not in raised.value.message()


class Heard(Silent):
    """Progress that keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        """Keep a line."""
        self.lines.append(text)


def _secret(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("access", "target", "said"),
    [
        (Access(user="u"), WEB, "no password"),
        (Access(password_file=Path("secret")), WEB, "no user"),
        (Access(user="u", token_file=Path("token")), WEB, "token and a user"),
        (Access(token_file=Path("empty")), WEB, "token is empty"),
        (Access(token_file=Path("two lines")), WEB, "token is empty, or no token"),
        (Access(user="u", password_file=Path("nowhere")), WEB, "cannot be read"),
        (Access(user="u", password_file=Path("secret")), DIMSE, "--user, --password-file"),
        (Access(token_file=Path("token")), DIMSE, "--token-file"),
        (Access(tls=True), WEB, "--tls"),
        (Access(retrieve="move"), WEB, "--retrieve"),
        (Access(port=1, aet="X"), WEB, "--aet, --port"),
        (Access(retrieve="fetch"), DIMSE, "'fetch'"),
        (Access(aet="A\\B"), DIMSE, "AE title"),
        (Access(port=70000), DIMSE, "70000"),
        (Access(rate=0.0), WEB, "rate"),
    ],
)
def test_options_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, access: Access, target: str, said: str
) -> None:
    monkeypatch.delenv("HOUNSFIELD_PASSWORD", raising=False)
    monkeypatch.delenv("HOUNSFIELD_TOKEN", raising=False)
    _secret(tmp_path / "secret", b"abc\n")
    _secret(tmp_path / "token", b"abc\n")
    _secret(tmp_path / "empty", b"\n")
    _secret(tmp_path / "two lines", b"abc\nX-Header: evil\n")
    placed = {
        name: tmp_path / path for name in ("password_file", "token_file") if (path := getattr(access, name)) is not None
    }
    with pytest.raises(InputError) as raised, reached(target, dataclasses.replace(access, **placed), Silent()):
        pass
    assert said in raised.value.message()
    assert raised.value.next_step
    assert "evil" not in raised.value.message()


def test_a_secret_is_taken_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanks belong to a password, a line's end and the mark of a Windows editor do not."""
    with serving(lambda _: Reply(status=401)) as service:
        for content in (b"\xef\xbb\xbf pass word \r\n", b" pass word ", b" pass word \n"):
            secret = _secret(tmp_path / "secret", content)
            with pytest.raises(ArchiveError, match="HTTP 401"):
                pull(service.url, tmp_path / "out", query="PatientID=A", access=Access(user="u", password_file=secret))
        monkeypatch.setenv("HOUNSFIELD_PASSWORD", " pass word \n")
        with pytest.raises(ArchiveError, match="HTTP 401"):
            pull(service.url, tmp_path / "out", query="PatientID=A", access=Access(user="u"))
    assert [a.headers["Authorization"] for a in service.asked] == ["Basic dTogcGFzcyB3b3JkIA=="] * 4


def test_a_secret_that_others_can_read_is_told(tmp_path: Path) -> None:
    heard = Heard()
    for mode in (0o600, 0o644):
        secret = _secret(tmp_path / "secret", b"abc", mode)
        with reached(WEB, Access(user="u", password_file=secret), heard):
            pass
    assert heard.lines == ["Others on this machine can read secret: chmod 600 secret"]


def test_one_forbidden_instance_does_not_end_the_pull(tmp_path: Path) -> None:
    """An archive may guard single studies; a search that it forbids ends everything."""
    from tests.data_room.pacs.making import place_of, pulled, write_studies
    from tests.data_room.pacs.web_server import Asked, one_file

    made = write_studies(tmp_path / "made", studies=1, series=1, slices=2)
    bad, good = made
    place = place_of(made)

    def answer(asked: Asked) -> Reply:
        end = asked.path.rsplit("/", 1)[-1]
        searches = {
            "studies": matches(told(_0020000D=place.study_uid)),
            "series": matches(told(_0020000E=place.series_uid)),
            "instances": matches(told(_00080018=bad), told(_00080018=good)),
        }
        return searches.get(end) or (Reply(status=403) if end == bad else one_file(made[good]))

    with serving(answer) as service:
        done = pull(service.url, tmp_path / "out", query="PatientID=*")
    assert (done.moved, [f.reason for f in done.failed]) == (1, ["the archive answered HTTP 403"])
    assert pulled(tmp_path / "out") == [made[good]]
