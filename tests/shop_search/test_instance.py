"""A home and a port belong to one instance at a time."""

import socket
from pathlib import Path

import pytest

from shop_search.errors import ServiceError
from shop_search.instance import Claim, address_of, bind, listen


def test_a_second_instance_on_one_home_is_told_who_holds_it(tmp_path: Path) -> None:
    with Claim(tmp_path, "127.0.0.1", 0) as first:
        with pytest.raises(ServiceError, match="already runs") as refused:
            Claim(tmp_path, "127.0.0.1", 0)
        assert refused.value.code == "already_running"
        assert first.address in refused.value.message


def test_a_home_is_free_again_after_its_instance(tmp_path: Path) -> None:
    with Claim(tmp_path, "127.0.0.1", 0):
        pass
    with Claim(tmp_path, "127.0.0.1", 0):
        pass


def test_two_homes_run_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with Claim(tmp_path / "a", "127.0.0.1", 0) as first, Claim(tmp_path / "b", "127.0.0.1", 0) as second:
        assert first.port != second.port


def test_a_busy_port_is_named_with_a_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(ServiceError, match=f"Port {port} on 127.0.0.1 can't be used") as refused:
            Claim(tmp_path, "127.0.0.1", port)
    assert refused.value.code == "port_unavailable"
    assert "PORT=" in refused.value.message


def test_of_two_that_bound_the_same_port_the_second_to_listen_is_refused() -> None:
    first = bind("127.0.0.1", 0)
    second = bind("127.0.0.1", first.getsockname()[1])
    with first, second:
        listen(first)
        with pytest.raises(ServiceError, match="can't be used"):
            listen(second)


@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_a_port_that_does_not_exist_is_refused(port: int) -> None:
    with pytest.raises(ServiceError) as refused:
        bind("127.0.0.1", port)
    assert refused.value.code == "port_unavailable"


def test_an_unknown_host_is_refused() -> None:
    with pytest.raises(ServiceError, match="no address of this machine"):
        bind("no such host", 0)


def test_the_address_can_be_opened_in_a_browser() -> None:
    with bind("0.0.0.0", 0) as everywhere, bind("127.0.0.1", 0) as local:
        assert address_of(everywhere, "0.0.0.0") == f"http://localhost:{everywhere.getsockname()[1]}/"
        assert address_of(local, "127.0.0.1") == f"http://127.0.0.1:{local.getsockname()[1]}/"
