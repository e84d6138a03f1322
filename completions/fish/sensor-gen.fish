# SPDX-License-Identifier: Apache-2.0
# fish completion for sensor-gen(1)

complete -c sensor-gen -f
complete -c sensor-gen -o o -r -F -d 'Where the lines go, - is standard output'
complete -c sensor-gen -o rate -x -a 'max 1000 10000 100000' -d 'Entries a second'
complete -c sensor-gen -o d -x -a '10s 30s 1min 1h' -d 'Stop after this time'
complete -c sensor-gen -o v -d 'Tell the seed and the progress'
complete -c sensor-gen -o append -d 'Keep what the file holds'
complete -c sensor-gen -o seed -x -d 'Same seed, same readings'
complete -c sensor-gen -o from -x -d 'Begin at a time and do not wait for the clock'
complete -c sensor-gen -o sensors -x -d 'Size of the fleet'
complete -c sensor-gen -o anomalies -x -a '0% 2% 10%' -d 'Readings beyond their range'
complete -c sensor-gen -o catalog -r -F -d 'Types and pipelines'
complete -c sensor-gen -o scenario -r -F -d 'Incidents that shall happen'
complete -c sensor-gen -o model -x -a 'network uniform' -d 'How readings come about'
complete -c sensor-gen -o labels -x -a 'none inline sidecar' -d 'Say what is wrong with each line'
complete -c sensor-gen -o sequence -d 'Say the number of each line'
complete -c sensor-gen -o shard -x -d 'Make only what falls to machine I of N'
complete -c sensor-gen -o batchsec -x -a '1ms 10ms 100ms' -d 'Make entries this often'
complete -c sensor-gen -o catchupsec -x -a '10s infinity' -d 'Skip what is later than this'
complete -c sensor-gen -o help -l help -d 'Show a summary and examples'
complete -c sensor-gen -o version -l version -d 'Show the version'
