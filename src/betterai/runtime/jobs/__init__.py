"""Jobs: submitted once, stored, waited for, resumed in another process, cancelled."""
