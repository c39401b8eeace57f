"""`make bench`: how fast the hot paths are, as a share of a bare Flask app in the same run.

Real Redis, real MongoDB, gunicorn as in the Procfile with two processes, load on loopback. Every
figure is taken next to its yardstick, several times, turn and turn about; what counts is the median
of the shares. A machine that is busy with other things makes the rates smaller, and the shares less
sure, which their spread tells.
"""
